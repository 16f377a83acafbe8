from django.apps import AppConfig


class DesignConfig(AppConfig):
    name = "shop.design"
    label = "design"
    verbose_name = "Design system"
