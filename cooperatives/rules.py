"""What a member may do for her cooperative, as predicates of django-rules on a ``Cooperative``."""

import rules

from cooperatives.models import Cooperative, Member

Role = Member.Role


def acts_as(*roles: str):
    """Whether the person acts for the cooperative in one of these roles."""

    @rules.predicate(name="acts_as:" + "|".join(roles))
    def predicate(user, cooperative: Cooperative | None) -> bool:
        if cooperative is None or not user.is_authenticated:
            return False
        return Member.objects.current().filter(user=user, cooperative=cooperative, role__in=roles).exists()

    return predicate


rules.add_perm("cooperatives.see", acts_as(*Role.values))
rules.add_perm("cooperatives.fill_orders", acts_as(Role.OWNER, Role.ORDERS))
rules.add_perm("cooperatives.edit_listings", acts_as(Role.OWNER, Role.LISTINGS))
rules.add_perm("cooperatives.see_money", acts_as(Role.OWNER, Role.FINANCE))
rules.add_perm("cooperatives.manage_people", acts_as(Role.OWNER))
