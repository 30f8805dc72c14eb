"""Writes goldens/*.json: what NLTK and the tokenizers package make of the sentences below.

    python tests/text/make_goldens.py
"""

import json
import pathlib

import nltk
import tokenizers
from nltk.tokenize import NLTKWordTokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

FOLDER = pathlib.Path(__file__).parent / "goldens"

# One sentence each: word_tokenize cuts sentences first, and that part is not what is compared.
WORD_SENTENCES = [
    "They don't pay $3.5m.",
    "Oil prices fall again",
    "Wall St. Bears Claw Back Into the Black (Reuters)",
    "Reuters - Short-sellers, Wall Street's dwindling band of ultra-cynics, are seeing green again.",
    "The company's shares rose 4.5% to $10,000.50 on Monday!",
    "I can't believe it's not butter; isn't that odd?",
    "We'll see what they've done, and I'd say you're right.",
    "He wouldn't, couldn't and shouldn't.",
    "I'm sure she'd've come.",
    "O'Neil's boat left at five o'clock.",
    "the dogs' bowls",
    "rock 'n' roll",
    "What is this?!",
    "Wait... what",
    "A dash -- like this -- splits, a well-known hyphen does not.",
    "He paid 10,000,000 yen at 12:30, not 1,5.",
    "(brackets [square] {curly} <angle>)",
    "Email me@example.com & ask #42",
    "50% off",
    "He said \"hello there\" to me.",
    "A \"quoted\" word, and 'single' ones.",
    "It cost £5 and €7.",
    "naïve café owners in São Paulo",
    "Visit http://example.com/a?b=c today",
    "U.S. officials said no.",
    "He lives in the U.K. now",
    "AT&T and R&D",
    "a/b and c_d",
    "x=1, y*2, a+b",
    "version 2.0.1 came out on 2004-08-15.",
    "1990s and '90s music",
    "No. 5 is alive",
    "Mr. Smith went to Washington, D.C.",
    "I cannot go.",
    "gonna wanna gotta",
    "semi;colons: everywhere",
    "a:b",
    "ratio 3:4",
    "end of line.",
    "end with quote.\"",
    "end with bracket.)",
    "don’t stop",
    "“Typographic quotes,” he said.",
    "He said “stop.” Then left",
    "«Bonjour», dit-il",
    "em—dash and en–dash",
    "tabs\tand\nlines",
    "",
    "   ",
    ".",
    "...",
    "'",
    "''",
    "--",
    "-",
    "Yahoo!",
    "Toys \"R\" Us",
    "100-year-old",
    "e-mail, e.g. this one, i.e. that one",
    "Привет, мир!",
    "これは ペン です",
    "C++ and C#",
    "~5 ^ 3 | 2 \\ 1 ` 0",
    "a , b . c",
    "one,two",
    "1,000 and 1,a",
    "you’re",
    "D'Artagnan",
    "'tis the season",
    "it's; that's: who's",
    "THEY'RE WE'LL DON'T",
    "#hashtag @user 5@6",
    "5'10\" tall",
    "Hi :) and :-( too",
    "<br />text<br />",
    "...and so on",
    "and so on...",
    "wait....what",
    "***stars*** ===equals===",
    "$US 3.5bn",
    "3.5bn-dollar deal",
    "Q1'04 results",
]

WORDPIECE_VOCABULARY = """[PAD] [UNK] [CLS] [SEP] [MASK] the quick brown fox jump ##s ##ed over lazy dog un ##want ##ed_
run ##ning , . ! ? ' " - $ % ( ) # a b c d e f g h i j k l m n o p q r s t u v w x y z ##a ##b ##c ##d ##e ##f ##g
##h ##i ##j ##k ##l ##m ##n ##o ##p ##q ##r ##t ##u ##v ##w ##x ##y ##z 0 1 2 3 ##0 ##1 ##2 ##3 cafe caf ##é café
中 国 人 « » “ ” — ç ##ç й ##й привет мир при ##вет ß ##ß The ##ing fast ##form ##er token ##izer
""".split()

WORDPIECE_SENTENCES = [
    "The quick brown fox jumps over the lazy dog.",
    "unwanted running",
    "UNWANTED, Running!",
    "cafe café CAFÉ",
    "fastformer's tokenizer",
    "abc123 3210",
    "unknown☃snowman the",
    "中国人 the中dog",
    "“quoted” — dash",
    "«guillemets»",
    "  spaces\tand\nlines\r\n ",
    "control\x01char and\x00nul",
    "soft\u00adhyphen zero\u200dwidth \u200bspace",
    "no\u00a0break em\u2003space",
    "vertical\x0btab form\x0cfeed next\u0085line",
    "привет, мир",
    "ПРИВЕТ МИР",
    "100%",
    "$3 #1 (a-b)",
    "a" * 100,
    "a" * 101,
    "é" * 100 + " the",
    "é" * 101 + " the",
    "the " * 20,
    "",
    " ",
    "...",
    "don't",
    "replacement\ufffdcharacter",
    "compat \uf900 ideograph",
    "ffi \ufb03 ligature",
    "e\u0301 combining",
    "한국 hangul",
    "private\ue000use",
    "emoji \U0001f600 the",
    "a\u2028b\u2029c",
    "Straße",
]


def word_goldens():
    tokenizer = NLTKWordTokenizer()
    return {
        "made_by": f"nltk {nltk.__version__}",
        "cases": [{"text": s, "tokens": tokenizer.tokenize(s)} for s in WORD_SENTENCES],
    }


def wordpiece_goldens():
    vocabulary = {token: i for i, token in enumerate(WORDPIECE_VOCABULARY)}
    cases = {}
    for name, lowercase in (("uncased", True), ("cased", False)):
        tokenizer = tokenizers.Tokenizer(WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
        tokenizer.normalizer = BertNormalizer(lowercase=lowercase, strip_accents=lowercase)
        tokenizer.pre_tokenizer = BertPreTokenizer()
        cases[name] = []
        for sentence in WORDPIECE_SENTENCES:
            encoding = tokenizer.encode(sentence, add_special_tokens=False)
            cases[name].append({"text": sentence, "ids": encoding.ids})
    return {
        "made_by": f"tokenizers {tokenizers.__version__}",
        "vocabulary": WORDPIECE_VOCABULARY,
        **cases,
    }


def write(name, goldens):
    text = json.dumps(goldens, ensure_ascii=True, indent=1)
    (FOLDER / name).write_text(text + "\n", encoding="ascii")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    write("word_tokenize.json", word_goldens())
    write("wordpiece.json", wordpiece_goldens())
