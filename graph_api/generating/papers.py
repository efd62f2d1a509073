"""Documents, where they lie, what they are about, and what was noted in them."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from graph_api.generating import words
from graph_api.generating.chance import Chance
from graph_api.generating.sizes import Sizes
from graph_api.models import AnnotationKind, DocumentSource

T = TypeVar("T")
Line = dict[str, Any]

_KINDS = tuple(AnnotationKind)
_SOURCES = tuple(DocumentSource)
# As often as this is something popular taken that is taken already; then, anything.
_PATIENCE = 20


def collections(seed: int, sizes: Sizes) -> Iterator[Line]:
    chance = Chance(seed, "collections")
    for number in range(sizes.collections):
        parent = number // len(words.COLLECTIONS) - 1
        place = chance.one_of(words.PLACES)
        name = words.COLLECTIONS[number % len(words.COLLECTIONS)]
        yield {
            "type": "Collection",
            "ref": chance.ref("collection", number),
            "name": name if parent < 0 else f"{name} {place}",
            "color": chance.one_of(words.COLORS),
            "icon": chance.one_of(words.ICONS),
            "parent": None
            if parent < 0
            else chance.ref("collection", chance.below(number)),
            "createdAt": chance.moment(),
        }


def tags(sizes: Sizes) -> Iterator[Line]:
    """The same for all seeds, since there is but one tag of each name."""
    chance = Chance(0, "tags")
    for number in range(sizes.tags):
        word = words.TAGS[number % len(words.TAGS)]
        more = number // len(words.TAGS)
        yield {
            "type": "Tag",
            "ref": f"tag/{number}",
            "name": f"{word} {more + 1}" if more else word,
            "color": chance.one_of(words.COLORS),
            "icon": chance.one_of(words.ICONS) if chance.often(0.5) else None,
            "createdAt": chance.moment(),
        }


def document(seed: int, number: int, revision: int, sizes: Sizes) -> Line:
    chance = Chance(seed, f"document {number}")
    mime_type, ending, form = chance.one_of(words.FILES)
    about = chance.one_of(words.OBJECTS).removeprefix("the ")
    place = chance.one_of(words.PLACES)
    line: Line = {
        "type": "Document",
        "ref": chance.ref("document", number),
        "title": f"{form.capitalize()}: {about}, {place}",
        "fileName": f"{form}-{number:06d}.{ending}",
        "mimeType": mime_type,
        "fileSize": 2_000 + chance.popular(20_000_000, 4),
        "sha256": chance.digest(),
        "source": chance.one_of(_SOURCES),
        "language": chance.one_of(("en", "de", "fr", None)),
        "pageCount": 1 + chance.popular(120) if ending in {"pdf", "odt"} else None,
        "text": " ".join(
            chance.one_of(words.SENTENCES) for _ in range(2 + chance.popular(40))
        ),
        "collection": chance.ref("collection", chance.popular(sizes.collections)),
        "ingestedAt": chance.moment(),
        "metadata": {"revision": revision, "scanned": chance.often(0.4)},
        "createdAt": chance.moment(),
    }
    if chance.often(0.2):
        line["collection"] = None
    if revision or chance.often(0.6):
        line |= {
            "processingStatus": "completed",
            "classification": form,
            "classificationStatus": "completed",
            "classificationConfidence": chance.below(1_000) / 1_000,
            "extractionType": form,
            "extractionData": {"total": chance.below(100_000) / 100, "lines": revision},
            "extractionCost": f"{chance.below(500) / 10000:.4f}",
            "extractedAt": chance.moment(),
        }
    return line


def document_links(seed: int, sizes: Sizes) -> Iterator[Line]:
    """What documents are about: commitments mostly, the well-known ones more often."""
    chance = Chance(seed, "document links")

    def link(skew: float) -> tuple[str, str]:
        document = chance.below(sizes.documents)
        kind, count = "commitment", sizes.commitments
        if not chance.often(0.7):
            kind, count = chance.one_of(
                (
                    ("party", sizes.parties),
                    ("party", sizes.parties),
                    ("role", sizes.roles),
                    ("node", sizes.knowledge_nodes),
                )
            )
        return chance.ref("document", document), chance.ref(
            kind, chance.popular(count, skew)
        )

    for document, target in _distinct(sizes.document_links, link):
        yield {
            "type": "DocumentLink",
            "document": document,
            "target": target,
            "relation": chance.one_of(words.RELATIONS),
        }


def document_tags(seed: int, sizes: Sizes) -> Iterator[Line]:
    chance = Chance(seed, "document tags")

    def pair(skew: float) -> tuple[str, str]:
        document = chance.below(sizes.documents)
        return chance.ref(
            "document", document
        ), f"tag/{chance.popular(sizes.tags, skew)}"

    for document, tag in _distinct(sizes.document_tags, pair):
        yield {"type": "DocumentTag", "document": document, "tag": tag}


def annotations(seed: int, sizes: Sizes) -> Iterator[Line]:
    chance = Chance(seed, "annotations")
    for number in range(sizes.annotations):
        start = chance.below(400)
        yield {
            "type": "Annotation",
            "ref": chance.ref("annotation", number),
            "document": chance.ref("document", chance.popular(sizes.documents)),
            "kind": chance.one_of(_KINDS),
            "text": chance.one_of(words.SENTENCES) if chance.often(0.7) else None,
            "startOffset": start,
            "endOffset": start + chance.below(80),
            "page": 1 + chance.popular(9) if chance.often(0.5) else None,
            "color": chance.one_of(words.COLORS),
            "createdAt": chance.moment(),
        }


def _distinct(count: int, make: Callable[[float], T]) -> Iterator[T]:
    """So many different things of `make`, to which we say how skewed it is to choose.

    Where there are too few of the popular ones, others will do.
    """
    made: set[T] = set()
    tries = 0
    while len(made) < count:
        one = make(2.0 if tries < _PATIENCE else 1.0)
        tries += 1
        if one not in made:
            made.add(one)
            tries = 0
            yield one
