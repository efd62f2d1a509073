"""The words that made-up things are called by: places, plants, trades; no people."""

PLACES = (
    "Aarhus", "Ålesund", "Brno", "Cádiz", "Dar es Salaam", "Esbjerg", "Ferrara",
    "Győr", "Hội An", "İzmir", "Jämsä", "Kraków", "Łódź", "Málaga", "Niterói",
    "Orléans", "Plzeň", "Québec", "Reykjavík", "São Luís", "Tromsø", "Utrecht",
    "Västerås", "Würzburg", "Yaoundé", "Zürich", "Αθήνα", "Київ", "東京", "北京",
    "القاهرة", "서울",
)  # fmt: skip

FIRMS = (
    "Alder", "Basalt", "Cedar", "Delta", "Ember", "Fjord", "Granite", "Harbour",
    "Indigo", "Juniper", "Kestrel", "Larch", "Meridian", "Nimbus", "Orchard",
    "Pine", "Quartz", "Rowan", "Sable", "Tundra", "Umber", "Vega", "Willow", "Zephyr",
)  # fmt: skip

BUSINESSES = (
    "Bank", "Bakery", "Clinic", "College", "Council", "Dairy", "Electric", "Energy",
    "Garden Centre", "Housing", "Insurance", "Laboratory", "Library", "Logistics",
    "Museum", "Observatory", "Press", "Railways", "Software", "Studio", "Telecom",
    "Theatre", "Waterworks", "Workshop",
)  # fmt: skip

# What people are known as here: by what they do, for they have no names.
TRADES = (
    "accountant", "architect", "baker", "carpenter", "chemist", "cook", "dentist",
    "driver", "editor", "electrician", "engineer", "gardener", "judge", "lawyer",
    "librarian", "mason", "musician", "neighbour", "nurse", "painter", "pilot",
    "plumber", "surgeon", "tailor", "teacher", "translator", "vet", "weaver",
)  # fmt: skip

ROLES = (
    "Customer", "Employee", "Employer", "Landlord", "Tenant", "Parent", "Taxpayer",
    "Supplier", "Contractor", "Trustee", "Member", "Volunteer", "Student", "Patient",
    "Board member", "Caretaker", "Treasurer", "Maintainer",
)  # fmt: skip

DOMAINS = (
    "finance", "health", "home", "work", "family", "school", "travel", "taxes",
    "insurance", "garden", "car", "legal", "community", "research", "größeres",
)  # fmt: skip

DUTIES = (
    "Pay", "Renew", "Review", "Prepare", "Send", "Sign", "Inspect", "Repair", "Water",
    "Book", "Cancel", "Collect", "Translate", "Publish", "Measure", "Archive",
)  # fmt: skip

OBJECTS = (
    "the rent", "the invoice", "the contract", "the tax return", "the passport",
    "the heating", "the annual report", "the insurance policy", "the garden",
    "the vaccination record", "the library books", "the minutes", "the roof",
    "the menu of the café", "the data sheet", "the exhibition", "the licence",
    "the grant",
)  # fmt: skip

RULES = (
    "FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH",
    "FREQ=MONTHLY;BYMONTHDAY=1", "FREQ=MONTHLY;BYDAY=-1FR",
    "FREQ=MONTHLY;BYMONTHDAY=31", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "FREQ=YEARLY",
)  # fmt: skip

# What comes in: the media type, the ending of its name, and the class it falls into.
FILES = (
    ("application/pdf", "pdf", "invoice"),
    ("application/pdf", "pdf", "contract"),
    ("application/pdf", "pdf", "statement"),
    ("image/jpeg", "jpg", "receipt"),
    ("image/png", "png", "receipt"),
    ("text/plain", "txt", "note"),
    ("message/rfc822", "eml", "letter"),
    ("application/vnd.oasis.opendocument.text", "odt", "letter"),
)

COLLECTIONS = (
    "Household", "Taxes", "Contracts", "Letters", "Photographs", "Health", "Garden",
    "Research", "Travel", "Archive",
)  # fmt: skip

TAGS = (
    "important", "to do", "waiting", "paid", "signed", "draft", "reference", "idea",
    "überfällig", "重要",
)  # fmt: skip

COLORS = ("#1f77b4", "#2ca02c", "#9467bd", "#7f7f7f", "#d62728", "#ff7f0e", "#edc948")
ICONS = ("📁", "📝", "🔬", "📦", "⭐", "✅", "💡", "📚", "🎓", "📋")

RELATIONS = ("about", "evidence", "invoice", "attachment", "reply")

SUBJECTS = (
    "alloy", "basin", "catalyst", "current", "diet", "engine", "enzyme", "estuary",
    "fabric", "glacier", "harvest", "isotope", "lattice", "lichen", "membrane",
    "mineral", "orbit", "polymer", "protein", "reef", "resin", "sediment", "signal",
    "solvent", "spectrum", "theorem", "tide", "turbine", "vaccine", "vault",
)  # fmt: skip

ASPECTS = (
    "ageing", "balance", "colour", "cost", "decay", "density", "durability", "growth",
    "history", "law", "maintenance", "origin", "price", "safety", "shape", "supply",
    "temperature", "théorie", "trade", "use", "variance", "yield",
)  # fmt: skip

NODE_TYPES = ("concept", "entity", "topic", "event", "place")
EDGE_TYPES = (
    "references", "relates_to", "derived_from", "part_of", "contradicts", "causes",
)  # fmt: skip

SENTENCES = (
    "It was agreed in writing, and both sides keep a copy.",
    "The amount includes everything but the postage.",
    "Whoever finds a mistake tells the other side within two weeks.",
    "As in former years; see the letter of last spring.",
    "The original lies in the blue folder — the copy is enough here.",
    "Ohne Gewähr; maßgeblich ist die Fassung vom Frühjahr.",
    "Nothing is owed before the goods have arrived.",
    "The measurements were repeated three times: 3.2 ± 0.1.",
    "« À conserver dix ans », says the stamp.",
    "Questions go to the office on the second floor ☎.",
)  # fmt: skip
