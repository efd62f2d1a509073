"""What is stored: one module a domain, all importable from here."""

from .accounts import IdempotencyKey, MemberRole, Membership, User, Workspace
from .base import (
    Base,
    Entity,
    EntityType,
    Imported,
    Keyed,
    Tenant,
    Versioned,
    public_name,
)
from .commitments import Commitment, CommitmentSource, CommitmentState, CommitmentType
from .documents import (
    ClassificationStatus,
    Document,
    DocumentLink,
    DocumentSource,
    FileHash,
    IngestionStatus,
    ProcessingStatus,
)
from .interactions import ActorType, Interaction
from .knowledge import KnowledgeEdge, KnowledgeNode
from .organizing import Annotation, AnnotationKind, Collection, DocumentTag, Tag
from .parties import Party, PartyKind, Role
from .signals import Signal, SignalSource, SignalStatus

__all__ = [
    "ActorType",
    "Annotation",
    "AnnotationKind",
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
    "Keyed",
    "KnowledgeEdge",
    "KnowledgeNode",
    "MemberRole",
    "Membership",
    "Party",
    "PartyKind",
    "ProcessingStatus",
    "Role",
    "Signal",
    "SignalSource",
    "SignalStatus",
    "Tag",
    "Tenant",
    "User",
    "Versioned",
    "Workspace",
    "public_name",
]
