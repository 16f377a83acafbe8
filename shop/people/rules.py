"""What operators may do, as predicates of django-rules. Superusers pass every one."""

import rules

from shop.people.models import OperatorRole, User


def holds(*roles: str):
    """Whether the person holds one of these operator roles."""

    @rules.predicate(name="holds:" + "|".join(roles))
    def predicate(user: User) -> bool:
        if not user.is_authenticated:
            return False
        return user.operator_roles.filter(role__in=roles).exists()

    return predicate


Role = OperatorRole.Role
is_operator = holds(*Role.values)
can_support = holds(Role.SUPPORT)
can_curate = holds(Role.CATALOGUE)
can_prepare_money = holds(Role.FINANCE_MAKER)
can_approve_money = holds(Role.FINANCE_APPROVER)
can_read_money = holds(Role.FINANCE_MAKER, Role.FINANCE_APPROVER, Role.AUDITOR)

rules.add_perm("backoffice.enter", is_operator)
rules.add_perm("backoffice.support", can_support | can_read_money)
rules.add_perm("backoffice.send_again", can_support)
rules.add_perm("backoffice.curate", can_curate)
rules.add_perm("backoffice.read_money", can_read_money)
rules.add_perm("backoffice.prepare_money", can_prepare_money)
rules.add_perm("backoffice.approve_money", can_approve_money)
rules.add_perm("backoffice.move_clock", can_support | can_prepare_money)
rules.add_perm("backoffice.write_letters", can_curate)
