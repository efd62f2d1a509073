"""The enumerations that tables keep, with what each of their values means."""

from enum import StrEnum

import strawberry

from graph_api import models
from graph_api.permissions import MemberRole
from graph_api.schema.fields import describe

_MEANINGS: dict[type[StrEnum], dict[str, str]] = {
    models.PartyKind: {
        "PERSON": "A human being.",
        "ORG": "An organization: a company, an office, a team.",
    },
    models.CommitmentType: {
        "OBLIGATION": "Something owed to someone, such as a payment.",
        "RESPONSIBILITY": "Something to be looked after for as long as it lasts.",
        "GOAL": "Something to be reached.",
        "ROUTINE": "Something to be done again and again.",
        "APPOINTMENT": "Somewhere to be at a time.",
        "COMPLIANCE": "Something that a law or a contract demands.",
    },
    models.CommitmentState: {
        "PROPOSED": "Suggested, and not yet agreed to.",
        "ACCEPTED": "Agreed to, and not yet begun.",
        "ACTIVE": "Being worked on.",
        "PAUSED": "Put aside for a while.",
        "FULFILLED": "Done; this is final.",
        "CANCELED": "Given up; this is final.",
        "DELINQUENT": "Not done in time.",
    },
    models.CommitmentSource: {
        "EMAIL": "A message.",
        "DOC": "A document.",
        "VISION_EXTRACT": "A picture that a program has read.",
        "API": "Another program.",
        "MANUAL": "Somebody wrote it down.",
    },
    models.SignalSource: {
        "VISION_UPLOAD": "A picture was uploaded.",
        "EMAIL": "A message came.",
        "API": "Another program sent it.",
        "MANUAL": "Somebody wrote it down.",
    },
    models.SignalStatus: {
        "NEW": "Nobody has looked at it.",
        "PROCESSING": "It is being looked at.",
        "ATTACHED": "A document was made of it.",
        "ARCHIVED": "It was put away.",
    },
    models.DocumentSource: {
        "UPLOAD": "Somebody uploaded it.",
        "EMAIL": "It came with a message.",
        "VISION_EXTRACT": "A program has read it from a picture.",
        "BATCH_IMPORT": "It came in with many others.",
        "API": "Another program sent it.",
        "MANUAL": "Somebody wrote it down.",
    },
    models.IngestionStatus: {
        "PENDING": "It is still to be taken in.",
        "SUCCESS": "It was taken in.",
        "FAILED": "It could not be taken in; `errorMessage` says why.",
        "RETRY": "It will be tried again.",
    },
    models.ProcessingStatus: {
        "PENDING": "Work on it is still to begin.",
        "RUNNING": "It is being worked on.",
        "COMPLETED": "The work on it is done.",
        "FAILED": "The work on it has failed.",
    },
    models.ClassificationStatus: {
        "PENDING": "It is still to be classified.",
        "COMPLETED": "It was classified.",
        "FAILED": "It could not be classified.",
    },
    models.AnnotationKind: {
        "HIGHLIGHT": "It marks some words.",
        "NOTE": "It says something about the place.",
        "COMMENT": "It answers or discusses.",
        "BOOKMARK": "It is a place to come back to.",
    },
    models.ActorType: {
        "USER": "A person who was signed in.",
        "AGENT": "A program that acts for someone.",
        "SYSTEM": "The server itself.",
    },
    MemberRole: {
        "OWNER": "May do everything, and decides who else may.",
        "EDITOR": "May read and change everything.",
        "VIEWER": "May read everything.",
        "AGENT": "A program that may do what its key says.",
    },
}

for _enum, _meanings in _MEANINGS.items():
    strawberry.enum(_enum, description=_enum.__doc__)
    describe(_enum, _meanings)
