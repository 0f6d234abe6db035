"""What does a page say of the step that led to it? The address carries a name, never a text: ``?note=signed``."""

from dataclasses import dataclass

from ecg_center.web.i18n import N_


@dataclass(frozen=True)
class Note:
    """One sentence; ``text`` is a message id."""

    text: str
    tone: str = "ok"


NOTES: dict[str, Note] = {
    "none-left": Note(N_("Nothing is waiting on this desk just now."), "info"),
    "signed": Note(N_("Signed. The report is waiting for its review.")),
    "signed-last": Note(N_("Signed. Nothing more is free on this desk.")),
    "released-last": Note(N_("Released. Nothing more is free on this desk.")),
    "returned-last": Note(N_("Returned to its writer. Nothing more is free on this desk.")),
    "released": Note(N_("Released. The clinic's printer is given the report by itself.")),
    "returned": Note(N_("Returned to its writer.")),
    "let-go": Note(N_("Given back to everyone; your draft is kept.")),
    "opinion": Note(N_("Opinion signed; the clinic sees it now.")),
    "registered": Note(N_("Registered. The recorder can ask for this order now.")),
    "marked": Note(N_("Marked; the centre sees it at once.")),
    "unmarked": Note(N_("Mark taken back.")),
    "cancelled": Note(N_("Order cancelled.")),
    "matched": Note(N_("The recording belongs to its order now.")),
    "registered-matched": Note(N_("Registered. The recording has its accession number now.")),
    "again": Note(N_("The recording is being read again.")),
    "dismissed": Note(N_("Set aside; the bytes stay stored.")),
    "printing": Note(N_("The clinic's printer is given the report once more.")),
    "amending": Note(N_("A new version is begun; the released one stays.")),
    "saved": Note(N_("Saved.")),
    "password-set": Note(N_("The new password is set; every log-in of this person has ended.")),
    "password": Note(N_("Password changed. Sign in with the new one.")),
    "signed-out": Note(N_("You are signed out."), "info"),
}
