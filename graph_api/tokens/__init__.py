"""Tokens: signed claims of who somebody is, ours and those of others we trust.

PyJWT checks signatures with the algorithms that we name; what it lets pass beside them
(unknown headers, far-off times, tokens of any size) is refused here.
"""

from graph_api.tokens.claims import BadToken as BadToken
from graph_api.tokens.foreign import Issuer as Issuer
from graph_api.tokens.own import Signer as Signer
