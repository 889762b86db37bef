"""Words to what a clip shows, and back: vocabulary, requests, captions, and what may not be asked for."""

from .captions import Captions, captions, sentence
from .expander import expand, fill, stage
from .policy import Refusal
from .request import Across, Height, Request, Wanted, from_scene, parse
from .understanding import Understood, notes, tokens
from .vocabulary import MOST_IDS, PADDING, Vocabulary, Words, vocabulary

__all__ = [
    "MOST_IDS",
    "PADDING",
    "Across",
    "Captions",
    "Height",
    "Refusal",
    "Request",
    "Understood",
    "Vocabulary",
    "Wanted",
    "Words",
    "captions",
    "expand",
    "fill",
    "from_scene",
    "notes",
    "parse",
    "sentence",
    "stage",
    "tokens",
    "vocabulary",
]
