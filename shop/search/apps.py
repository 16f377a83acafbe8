import oscar.apps.search.apps as apps
from django.db.models.signals import post_migrate, pre_migrate


class SearchConfig(apps.SearchConfig):
    name = "shop.search"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        super().ready()
        from shop.search import triggers

        # SQLite drops a table's triggers with every change of the table, and refuses the change while
        # triggers of other tables name it. So they are away during migrations.
        pre_migrate.connect(triggers.before_migrations, sender=self)
        post_migrate.connect(triggers.after_migrations, sender=self)
