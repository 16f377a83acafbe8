import oscar.apps.partner.apps as apps


class PricingConfig(apps.PartnerConfig):
    name = "shop.pricing"
