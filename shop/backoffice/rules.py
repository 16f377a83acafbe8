"""What only this room asks: who may act for others, and who handles files of money."""

import rules

from shop.people.rules import can_approve_money, can_prepare_money, can_support

rules.add_perm("backoffice.act_for_others", can_support)
rules.add_perm("backoffice.handle_files", can_prepare_money | can_approve_money)
