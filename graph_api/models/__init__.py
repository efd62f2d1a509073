"""What is stored: one module a domain, all importable from here."""

from graph_api.models.accounts import (
    ApiKey,
    IdempotencyKey,
    Invitation,
    Membership,
    Password,
    User,
    Workspace,
)
from graph_api.models.base import (
    Base,
    Entity,
    EntityType,
    Imported,
    Keyed,
    SubjectType,
    Tenant,
    Versioned,
    public_name,
)
from graph_api.models.commitments import (
    FINAL,
    OPEN,
    Commitment,
    CommitmentSource,
    CommitmentState,
    CommitmentType,
)
from graph_api.models.documents import (
    ClassificationStatus,
    Document,
    DocumentLink,
    DocumentSource,
    FileHash,
    IngestionStatus,
    ProcessingStatus,
)
from graph_api.models.interactions import ActorType, Interaction
from graph_api.models.knowledge import KnowledgeEdge, KnowledgeNode
from graph_api.models.organizing import (
    Annotation,
    AnnotationKind,
    Collection,
    DocumentTag,
    Tag,
)
from graph_api.models.parties import Party, PartyKind, Role
from graph_api.models.signals import Signal, SignalSource, SignalStatus

__all__ = [
    "FINAL",
    "OPEN",
    "ActorType",
    "Annotation",
    "AnnotationKind",
    "ApiKey",
    "Base",
    "ClassificationStatus",
    "Collection",
    "Commitment",
    "CommitmentSource",
    "CommitmentState",
    "CommitmentType",
    "Document",
    "DocumentLink",
    "DocumentSource",
    "DocumentTag",
    "Entity",
    "EntityType",
    "FileHash",
    "IdempotencyKey",
    "Imported",
    "IngestionStatus",
    "Interaction",
    "Invitation",
    "Keyed",
    "KnowledgeEdge",
    "KnowledgeNode",
    "Membership",
    "Party",
    "PartyKind",
    "Password",
    "ProcessingStatus",
    "Role",
    "Signal",
    "SignalSource",
    "SignalStatus",
    "SubjectType",
    "Tag",
    "Tenant",
    "User",
    "Versioned",
    "Workspace",
    "public_name",
]
