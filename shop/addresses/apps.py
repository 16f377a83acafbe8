import oscar.apps.address.apps as apps


class AddressesConfig(apps.AddressConfig):
    name = "shop.addresses"
