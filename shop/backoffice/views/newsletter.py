"""The newsletter: written in three languages, looked at, sent once to all who confirmed."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from shop.backoffice.forms import IssueForm
from shop.backoffice.scope import WRITE_LETTERS, confirm, operator_required, show
from shop.core import clock
from shop.core.errors import Refused
from shop.customers import issues
from shop.customers.models import Issue, Subscription
from shop.customers.tasks import send_issues
from shop.design.numbers import LANGUAGES

_KINDS = {Issue.State.DRAFT: "", Issue.State.SENDING: "wait", Issue.State.SENT: "ok"}
_SHOWN = 50


@operator_required(WRITE_LETTERS)
def newsletter(request: HttpRequest) -> HttpResponse:
    """All issues, the newest first, and how many people get the next one."""
    found = list(Issue.objects.all()[:_SHOWN])
    far = issues.progress(of=found)
    rows = [{"issue": each, "state": _state(each), "far": far[each.pk]} for each in found]
    subscribers = Subscription.objects.confirmed().count()
    return show(
        request, "backoffice/newsletter.html", "newsletter", {"rows": rows, "subscribers": subscribers}
    )


def _state(issue: Issue) -> dict[str, str]:
    return {"kind": _KINDS[Issue.State(issue.state)], "text": issue.get_state_display()}


@operator_required(WRITE_LETTERS, "GET", "POST")
def new_issue(request: HttpRequest) -> HttpResponse:
    """Begin an issue."""
    form = IssueForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = issues.write(words=form.words, by=request.user, at=clock.now())
        messages.success(request, _("The draft is kept. Nothing has been sent."))
        return redirect("backoffice:issue", made.reference)
    context = {"form": form, "issue": None}
    return show(request, "backoffice/issue.html", "newsletter", context, status=422 if form.errors else 200)


@operator_required(WRITE_LETTERS, "GET", "POST")
def issue(request: HttpRequest, reference: str) -> HttpResponse:
    """A draft to go on with; once it is sent, how far it has come."""
    found = get_object_or_404(Issue, reference=reference)
    form = IssueForm(request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():
        try:
            issues.change(issue=found, words=form.words, by=request.user, at=clock.now())
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("The draft is kept. Nothing has been sent."))
        return redirect("backoffice:issue", reference)
    context = {
        "form": form,
        "issue": found,
        "is_draft": found.state == Issue.State.DRAFT,
        "state": _state(found),
        "far": issues.progress(of=[found])[found.pk],
        "languages_": [
            {"code": "fr", "name": "Français"},
            {"code": "ar", "name": "العربية"},
            {"code": "en", "name": "English"},
        ],
    }
    return show(request, "backoffice/issue.html", "newsletter", context, status=422 if form.errors else 200)


@operator_required(WRITE_LETTERS)
def preview_issue(request: HttpRequest, reference: str, language: str) -> HttpResponse:
    """The text of the mail as a reader of this language gets it."""
    found = get_object_or_404(Issue, reference=reference)
    if language not in LANGUAGES:
        raise Http404
    with override(language):
        text = render_to_string(
            "mail/newsletter_issue.txt",
            {
                "said": found.subject_in(language),
                "text": found.text_in(language),
                "unsubscribe_url": "https://…",
            },
        )
    subject, _newline, body = text.strip().partition("\n")
    context = {"issue": found, "subject": subject, "body": body.strip(), "language": language}
    return show(request, "backoffice/issue_preview.html", "newsletter", context)


@operator_required(WRITE_LETTERS, "GET", "POST")
def send_issue(request: HttpRequest, reference: str) -> HttpResponse:
    """Asked once more, with how many it goes to; then it is on its way."""
    found = get_object_or_404(Issue, reference=reference)
    if request.method == "POST":
        try:
            number = issues.send(issue=found, by=request.user, at=clock.now())
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            send_issues.delay_on_commit()
            said = ngettext(
                "It is on its way to %(number)s person.", "It is on its way to %(number)s people.", number
            )
            messages.success(request, said % {"number": number})
        return redirect("backoffice:issue", reference)
    number = Subscription.objects.confirmed().count()
    goes = ngettext("It goes to %(number)s person.", "It goes to %(number)s people.", number)
    impossible = ""
    if found.state != Issue.State.DRAFT:
        impossible = str(issues.SentAlready())
    elif not number:
        impossible = str(issues.NobodyToWriteTo())
    return confirm(
        request,
        "newsletter",
        heading=_("Send “%(subject)s”") % {"subject": found.subject},
        said=[goes % {"number": number}, _("Once sent it is neither changed nor sent again.")],
        submit=_("Send it now"),
        back="../",
        impossible=impossible,
    )


@operator_required(WRITE_LETTERS, "GET", "POST")
def throw_away_issue(request: HttpRequest, reference: str) -> HttpResponse:
    """Remove a draft."""
    found = get_object_or_404(Issue, reference=reference)
    if request.method == "POST":
        try:
            issues.throw_away(issue=found)
        except Refused as refusal:
            messages.error(request, str(refusal))
            return redirect("backoffice:issue", reference)
        messages.success(request, _("The draft is removed."))
        return redirect("backoffice:newsletter")
    return confirm(
        request,
        "newsletter",
        heading=_("Remove this draft"),
        said=[_("“%(subject)s” was never sent.") % {"subject": found.subject}],
        submit=_("Remove it"),
        back="../",
        impossible="" if found.state == Issue.State.DRAFT else str(issues.SentAlready()),
    )
