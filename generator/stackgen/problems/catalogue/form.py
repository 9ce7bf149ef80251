"""SG1 files that cannot be read, SG2 files of another form than their schema."""

from __future__ import annotations

from collections.abc import Mapping

from .entry import Entry

FILES: Mapping[str, Entry] = {
    "SG101": Entry(
        "broken YAML",
        "The file is not YAML, so nothing of it can be read. The place is where the reader gave up; the mistake "
        "is there or just before.",
        "close the quote or bracket, and indent with spaces",
        "apis: [models, inspect     # the list is never closed",
    ),
    "SG102": Entry(
        "duplicate key",
        "YAML readers keep the last of two equal keys and drop the other silently: one of the two lines would "
        "have no effect.",
        "remove one of the two, or give it its own name",
        "server: {port: 8321}\nserver: {workers: 2}",
    ),
    "SG103": Entry(
        "unreadable file",
        "The file cannot be opened, or is not UTF-8 text.",
        "save it as UTF-8 and let the user that runs stackgen read it",
        "name: caf\\xe9",
    ),
    "SG104": Entry(
        "YAML that a spec does not use",
        "Anchors, aliases, tags, keys that are not text and several documents in one file make a value stand far"
        " from where it counts; a spec says each thing once, at its place.",
        "write the value out where it is used",
        "config: &remote {base_url: http://localhost}\nconfig: *remote",
    ),
}

FORM: Mapping[str, Entry] = {
    "SG201": Entry(
        "unknown key",
        "The schema of this kind of file has no such key here, so it would have no effect.",
        "correct its spelling, move it to where it belongs, or remove it",
        "naem: gateway",
    ),
    "SG202": Entry(
        "missing key",
        "Without it the rest cannot be understood.",
        "add it",
        "summary: A distribution without a name.",
    ),
    "SG203": Entry(
        "wrong type",
        "The value is, say, a text where a list belongs. Mind that YAML reads 8321 as a number and '8321' as a text.",
        "write a value of the expected type",
        "apis: models     # a list: [models]",
    ),
    "SG204": Entry(
        "value not allowed",
        "The value has the right type, and is outside what the schema allows: not one of the choices, out of "
        "range, not of the form.",
        "choose an allowed value",
        "processes: two   # one or many",
    ),
    "SG205": Entry(
        "file name and name differ",
        "Specs are found by file name, never by reading all of them, so a file must be called what it defines.",
        "rename the file or the entry",
        "# specs/distributions/gateway.yaml\nname: gatway",
    ),
    "SG206": Entry(
        "two definitions of one name",
        "A workspace adds to what stackgen brings. Where it brings an entry of its own under a taken name, it "
        "must say that it means to.",
        "choose another name, or say `replaces: true` at its top",
        "# my-specs/providers/inference/openai.yaml, which stackgen has too\ntype: remote::openai",
    ),
    "SG207": Entry(
        "nothing to replace",
        "`replaces:` says that another root has an entry of this name, and none has: the entry meant is spelt "
        "otherwise, or gone.",
        "remove `replaces:`, or correct the name",
        "# my-specs/providers/inference/openia.yaml\nreplaces: true",
    ),
}
