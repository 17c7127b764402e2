"""A clinic's text is held against the instrument before anybody is shown it; all that does not fit is named."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mbc.errors import DefinitionError, UnknownInstrument, WordingError
from mbc.instruments import instrument, load_file, wording
from mbc.instruments.definition.build import build
from mbc.instruments.library import sources

REPOSITORY = Path(__file__).resolve().parents[3]
REAL = REPOSITORY / "../shared/data/fhir/uscore_Questionnaire-phq-9-example.json"
DICTIONARY = (
    "Variable / Field Name,Form Name,Section Header,Field Type,Field Label,"
    '"Choices, Calculations, OR Slider Labels",Field Note,Text Validation Type OR Show Slider Number,'
    "Text Validation Min,Text Validation Max,Identifier?,Branching Logic (Show field only if...),Required Field?,"
    "Custom Alignment,Question Number (surveys only),Matrix Group Name,Matrix Ranking?,Field Annotation\n"
)
OPTIONS = ["never", "seldom", "often", "always"]


@pytest.fixture(autouse=True)
def shelf(tmp_path, monkeypatch):
    monkeypatch.setenv("MBC_WORDING", str(tmp_path / "shelf"))
    return tmp_path / "shelf"


@pytest.fixture
def save(tmp_path):
    def write(content, name="words.csv"):
        file = tmp_path / name
        file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return file

    return write


def rows(names, options=OPTIONS, values=range(4)):
    """Text of our own: 'Question about i3'."""
    lines = [f"item,text,{','.join(map(str, values))}"]
    lines += [f"{name},Question about {name},{','.join(options)}" for name in names]
    return "\n".join(lines) + "\n"


def refusal(*arguments, **options):
    with pytest.raises(WordingError) as fault:
        wording.load(*arguments, language="en", **options)
    return str(fault.value)


def questionnaire(key="phq9", *, link=lambda n, item: f"/{item.loinc}", **more):
    """A Questionnaire with text of our own; options carry their number in an extension."""
    one = instrument(key)
    items = [
        {
            "linkId": link(n, item),
            "type": "choice",
            "text": f"Question {n}",
            "answerOption": [
                {
                    "extension": [
                        {"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": value}
                    ],
                    "valueCoding": {"code": f"LA{value}", "display": OPTIONS[value]},
                }
                for value in range(item.minimum, item.maximum + 1)
            ],
        }
        for n, item in enumerate(one.items, 1)
    ]
    return {"resourceType": "Questionnaire", "status": "active", "title": "Our title", "item": items} | more


# What can be loaded


@pytest.mark.parametrize(
    "names",
    [
        [f"i{n}" for n in range(1, 10)],
        [str(n) for n in range(1, 10)],
        [f"phq9_{n:02}" for n in range(1, 10)],
        [f"Q{n}" for n in range(1, 10)],
        [item.loinc for item in instrument("phq9").items],
    ],
    ids=["ids", "numbers", "columns", "Q1", "LOINC"],
)
def test_a_csv_file_may_name_its_questions_in_many_ways(names, save):
    made = wording.load("phq9", save(rows(names)), language="en").wording
    assert [item.id for item in made.items] == [f"i{n}" for n in range(1, 10)]
    assert made.items[8].text == f"Question about {names[8]}"
    assert [(option.value, option.text) for option in made.items[0].options] == list(enumerate(OPTIONS))
    assert (made.form, made.coding, made.version) == ("standard", "0-3", instrument("phq9").version)


def test_what_was_loaded_is_found_again(save):
    made = wording.load("phq9", save(rows(range(1, 10))), language="EN").wording
    assert wording.of("phq9", "en") == made
    assert wording.require("phq9", "en", "standard") == made
    assert wording.loaded("phq9") == wording.loaded() == (made,)
    assert made.item("i9").text == "Question about 9"
    with pytest.raises(WordingError, match="has no item 'i10'"):
        made.item("i10")


def test_title_instructions_and_copyright_stand_in_rows_of_their_own(save):
    around = "title,How it goes\ninstructions,Think of last week\ncopyright,Somebody 2001\n"
    text = rows(range(1, 6), [*OPTIONS, "mostly", "all the time"], range(6))
    header, rest = text.split("\n", 1)
    made = wording.load("who5", save(header + "\n" + around + rest), language="en").wording
    assert (made.title, made.instructions, made.copyright) == (
        "How it goes",
        "Think of last week",
        "Somebody 2001",
    )
    shown = wording.load("who5", save(rest and text), language="de", title="Wie es geht").wording
    assert (shown.title, shown.instructions) == ("Wie es geht", None)


def test_options_may_stand_in_one_cell_and_be_given_once(save):
    text = "item;text;options\n1;One;0, never | 1, seldom | 2, often, or so | 3, always\n"
    text += "".join(f"{n};Number {n};\n" for n in range(2, 10))
    made = wording.load("phq9", save(text), language="en").wording
    assert made.items[8].options == made.items[0].options
    assert made.items[0].options[2].text == "often, or so"


def test_points_without_a_label_may_stay_blank_between_two_that_have_one(save):
    ends = ["disagree", "", "", "", "", "", "agree"]
    made = wording.load("ecr", save(rows(range(1, 37), ends, range(1, 8))), language="en").wording
    assert [option.text for option in made.items[0].options] == ends


def test_mark_up_and_stray_blanks_are_taken_out(save):
    text = rows(range(1, 10)).replace("Question about 1,", '"<b>Question</b>  about<br>one &amp; all ",')
    assert wording.load("phq9", save(text), language="en").wording.items[0].text == "Question about\none & all"


def test_columns_for_the_person_who_fills_the_file_are_passed_over(save):
    text = wording.blank(instrument("phq9"))
    for n in range(1, 10):
        text = re.sub(rf"(?m)^(i{n},[^,]*),,,,,$", rf"\1,Text {n},no,some,more,much", text)
    assert wording.load("phq9", save(text), language="en").wording.items[3].text == "Text 4"


def test_a_flat_questionnaire_is_matched_by_link_id(save):
    loaded = wording.load("phq9", save(questionnaire(), "q.json"), language="en")
    assert loaded.wording.title == "Our title"
    assert [item.text for item in loaded.wording.items] == [f"Question {n}" for n in range(1, 10)]
    assert loaded.notes == ()


def test_a_nested_questionnaire_is_read_in_its_order(save):
    flat = questionnaire(link=lambda n, item: f"1.{n}")["item"]
    heading = {"linkId": "1.0", "type": "display", "text": "Think of last week"}
    nested = questionnaire(item=[{"linkId": "1", "type": "group", "text": "Mood", "item": [heading, *flat]}])
    made = wording.load("phq9", save(nested, "q.json"), language="en").wording
    assert made.instructions == "Mood\nThink of last week"
    assert [item.text for item in made.items] == [f"Question {n}" for n in range(1, 10)]


def test_link_ids_may_begin_anew_in_each_group(save):
    flat = questionnaire(link=lambda n, item: f"{(n + 4) // 5}.{(n - 1) % 5 + 1}")["item"]
    groups = [
        {"linkId": "1", "type": "group", "item": flat[:5]},
        {"linkId": "2", "type": "group", "item": flat[5:]},
    ]
    made = wording.load("phq9", save(questionnaire(item=groups), "q.json"), language="en").wording
    assert [item.text for item in made.items] == [f"Question {n}" for n in range(1, 10)]


def test_a_code_of_loinc_is_enough(save):
    made = questionnaire(link=lambda n, item: f"x{chr(96 + n)}")
    for item, known in zip(made["item"], instrument("phq9").items, strict=True):
        item["code"] = [{"system": "http://loinc.org", "code": known.loinc}]
    assert wording.load("phq9", save(made, "q.json"), language="en").notes == ()


def test_questions_without_any_name_are_taken_as_they_come_and_that_is_said(save):
    made = questionnaire("gad7", link=lambda n, item: f"b7e0-{chr(96 + n)}")
    loaded = wording.load("gad7", save(made, "q.json"), language="en")
    assert "read in file order" in loaded.notes[0]


def test_what_a_questionnaire_asks_beside_is_left_out_and_said(save):
    made = questionnaire()
    made["item"].append({"linkId": "/44261-6", "type": "decimal", "text": "Total"})
    loaded = wording.load("phq9", save(made, "q.json"), language="en")
    assert loaded.notes == ("Left out, not an item of the instrument: linkId '/44261-6' ('Total').",)
    assert len(loaded.wording.items) == 9


def test_options_may_stand_in_a_contained_value_set(save):
    concepts = [{"code": str(value), "display": label} for value, label in enumerate(OPTIONS)]
    made = questionnaire(
        contained=[{"resourceType": "ValueSet", "id": "often", "compose": {"include": [{"concept": concepts}]}}]
    )
    for item in made["item"]:
        del item["answerOption"]
        item["answerValueSet"] = "#often"
    options = wording.load("phq9", save(made, "q.json"), language="en").wording.items[0].options
    assert [(option.value, option.text) for option in options] == list(enumerate(OPTIONS))


def test_a_translation_within_a_questionnaire_is_taken(save):
    made = questionnaire(language="en")
    for n, item in enumerate(made["item"], 1):
        parts = [{"url": "lang", "valueCode": "de"}, {"url": "content", "valueString": f"Frage {n}"}]
        item["_text"] = {
            "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/translation", "extension": parts}]
        }
    file = save(made, "q.json")
    assert wording.load("phq9", file, language="de").wording.items[0].text == "Frage 1"
    assert wording.load("phq9", file, language="en").wording.items[0].text == "Question 1"
    with pytest.raises(WordingError, match="its language is 'en'and has no translation to 'fr'"):
        wording.load("phq9", file, language="fr")


@pytest.mark.skipif(not REAL.exists(), reason="the published Questionnaire is not on this machine")
def test_the_published_questionnaire_of_the_us_core_guide():
    loaded = wording.load("phq9", REAL, language="en")
    assert len(loaded.wording.items) == 9
    assert {item.id: len(item.options) for item in loaded.wording.items} == {f"i{n}": 4 for n in range(1, 10)}
    assert [option.value for option in loaded.wording.item("i9").options] == [0, 1, 2, 3]
    assert [note.split("'")[1] for note in loaded.notes] == ["/44261-6", "/69722-7"]
    assert "No permission required" in loaded.wording.copyright


def dictionary(names, choices="0, never | 1, seldom | 2, often | 3, always", kind="radio", ends=","):
    lines = ['record_id,base,,text,"Record",,,,,,,,,,,,,']
    for n, name in enumerate(names, 1):
        section = "Over the last week" if n == 1 else ""
        lines.append(f'{name},mood,{section},{kind},"<div>Question {n}</div>","{choices}",,,{ends},,,y,,,,,')
    return DICTIONARY + "\n".join(lines) + "\n"


def test_a_redcap_dictionary_gives_the_fields_of_an_instrument(save):
    made = wording.load("phq9", save(dictionary([f"phq9_{n}" for n in range(1, 10)])), language="en").wording
    assert made.instructions == "Over the last week"
    assert made.items[8].text == "Question 9"
    assert made.items[8].options[3].text == "always"


def test_fields_with_names_of_their_own_are_told_by_a_pattern(save):
    file = save(dictionary([f"mood{n}_pre" for n in range(1, 10)]))
    assert "no question for i1 (interest and pleasure)" in refusal("phq9", file)
    assert len(wording.load("phq9", file, language="en", items="mood{n}_pre").wording.items) == 9
    assert "items is 'mood'; it must contain {n} once" in refusal("phq9", file, items="mood")


def test_a_dictionary_of_the_programming_interface_is_one_too(save):
    text = "field_name,form_name,section_header,field_type,field_label,select_choices_or_calculations\n"
    text += "".join(f'gad7_{n},f,,dropdown,Q {n},"0, a | 1, b | 2, c | 3, d"\n' for n in range(1, 8))
    assert len(wording.load("gad7", save(text), language="en").wording.items) == 7


def test_numbers_between_two_ends_need_no_options(save):
    made = dictionary([f"ecr_{n}" for n in range(1, 37)], choices="", kind="text", ends="1,7")
    options = wording.load("ecr", save(made), language="en").wording.items[0].options
    assert [(option.value, option.text) for option in options] == [(value, "") for value in range(1, 8)]


# Order and coding: part of what a text is


def test_the_order_of_known_items_tells_the_form(save):
    order = instrument("rses").form("b").order
    made = wording.load("rses", save(rows(order)), language="en").wording
    assert made.form == "b"
    assert [item.id for item in made.items] == list(order)


def test_numbered_questions_need_their_form_where_there_are_several(save):
    file = save(rows(range(1, 11)))
    text = refusal("rses", file)
    assert "numbers its questions, and rses has 2 item orders" in text
    assert "--form a or --form b" in text
    assert wording.load("rses", file, language="en", form="b").wording.items[0].id == "i7"


def test_the_options_tell_the_coding(save):
    made = wording.load("rses", save(rows(range(1, 11), values=range(1, 5))), language="en", form="a").wording
    assert made.coding == "1-4"
    assert [option.value for option in made.items[0].options] == [1, 2, 3, 4]


def test_options_that_two_codings_accept_need_their_coding(save):
    text = "item,text,0,1,2,3,4,5,6\n1,One,a,b,c,d,e,f,g\n2,Two,a,b,c,d,e,f,\n"
    text += "".join(f"{n},Number {n},,,,,,,\n" for n in range(3, 17))
    file = save(text)
    assert "its options fit 2 codings of csi16" in refusal("csi16", file)
    assert wording.load("csi16", file, language="en", coding="printed").wording.coding == "printed"


def test_both_orders_may_be_loaded_and_the_default_comes_first(save):
    file = save(rows(range(1, 11)))
    wording.load("rses", file, language="en", form="b")
    assert wording.of("rses", "en").form == "b"
    assert wording.of("rses", "en", "a") is None
    wording.load("rses", file, language="en", form="a")
    assert wording.of("rses", "en").form == "a"
    with pytest.raises(WordingError, match="in 2 item orders"):
        wording.remove("rses", "en")
    assert wording.remove("rses", "en", "a").form == "a"
    assert wording.of("rses", "en").form == "b"


# What is refused


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("i9,Question about i9", "i8,Question about i9"), "row 10 is i8"),
        (lambda text: text.replace("i9,", "i10,"), "row 10: 'i10' is not an item of phq9, which has 9"),
        (lambda text: text.replace("i9,", "i10,"), "no question for i9 (thoughts of death or self-harm)"),
        (lambda text: "\n".join(text.split("\n")[:-2]), "no question for i9"),
        (lambda text: text.replace("Question about i4", ""), "row 5: the question has no text"),
        (lambda text: text.replace("about i4", "x" * 2001), "row 5: a text of more than 2000 characters"),
        (lambda text: text.replace("item,text,0,1,2,3", "item,text,1,2,3,4"), "the coding '0-3' accepts 0-3"),
        (lambda text: text.replace("item,text,0,1,2,3", "item,text,0,1,3,2"), "options out of order (0, 1, 3, 2)"),
        (lambda text: text.replace("always", "").replace(",\n", "\n"), "3 options (0, 1, 2)"),
        (lambda text: text.replace("seldom", "never"), "the label 'never' on more than one option"),
        (lambda text: text.replace("item,", "itm,"), "Rename 'itm' -> 'item'?"),
        (lambda text: text.replace("item,text,0", "item,text,zero"), "'zero' is not understood"),
        (lambda text: text.replace("i2,", "i3,", 1).replace("i3,Question about i3", "i2,Q"), "is at place 2"),
        (lambda text: text.replace("i1,", '"i1,'), "cannot be read as CSV"),
        (lambda text: text.split("\n", 1)[0], "has no questions"),
        (lambda text: "", "is empty"),
    ],
)
def test_a_fault_of_a_csv_file_is_named(change, message, save):
    assert message in refusal("phq9", save(change(rows([f"i{n}" for n in range(1, 10)]))))
    assert wording.loaded() == ()


def test_all_faults_are_told_at_once(save):
    text = rows([f"i{n}" for n in range(1, 10)]).replace("Question about i4", "").replace("always", "ever,more")
    told = refusal("phq9", save(text.replace("0,1,2,3", "0,1,2,3,4")))
    assert "(2 faults)" in told
    assert "row 5: the question has no text" in told
    assert "row 2, row 3, row 4, row 5, row 6 and 4 more: 5 options" in told


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"resourceType": "Observation"}, "is not a FHIR R4 Questionnaire: resourceType"),
        ("{", "is not a FHIR R4 Questionnaire"),
        ({"resourceType": "Questionnaire", "item": []}, "has no questions"),
    ],
)
def test_json_that_is_no_questionnaire(content, message, save):
    assert message in refusal("phq9", save(content, "q.json"))


def test_options_without_numbers_are_not_guessed(save):
    made = questionnaire()
    for item in made["item"]:
        for option in item["answerOption"]:
            del option["extension"]
    assert "options without a whole number ('never', 'seldom'" in refusal("phq9", save(made, "q.json"))


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / "words.csv").write_bytes(b"item,text\n1,\xff\xfe")
    assert "is not UTF-8 text (byte 13)" in refusal("phq9", tmp_path / "words.csv")
    assert "cannot be read: No such file" in refusal("phq9", tmp_path / "none.csv")


def test_a_restricted_licence_asks_by_which_right(save):
    text = (
        'key = "mine"\nsource = "kroenke2001"\nanswers = { range = [0, 3] }\n'
        'licence = { status = "restricted", statement = "Sold by its publisher." }\n'
        '[[scale]]\nkey = "total"\nitems = ["q1", "q2"]\nrule = "sum"\nrange = [0, 6]\n'
    )
    mine = build(text, "mine.toml", sources())
    file = save(rows(["q1", "q2"]))
    told = refusal(mine, file)
    assert "restricted licence: Sold by its publisher" in told
    assert "--licence-held" in told
    assert refusal(mine, file, licence_held="  ") == told
    made = wording.load(mine, file, language="en", licence_held="no. 12").wording
    assert made.licence_held == wording.of(mine, "en").licence_held == "no. 12"


def test_another_text_is_not_written_over_by_accident(save):
    wording.load("phq9", save(rows(range(1, 10))), language="en")
    wording.load("phq9", save(rows(range(1, 10))), language="en")  # the same once more
    other = save(rows(range(1, 10), ["none", "one", "two", "three"]), "other.csv")
    assert "is loaded already, from words.csv" in refusal("phq9", other)
    assert wording.load("phq9", other, language="en", overwrite=True).wording.items[0].options[0].text == "none"
    assert len(wording.loaded()) == 1


@pytest.mark.parametrize("language", ["", "english", "e", "../x", "en/../de", "en-"])
def test_a_language_is_a_code(language, save):
    with pytest.raises(WordingError, match="give a code such as en, de or pt-BR"):
        wording.load("phq9", save(rows(range(1, 10))), language=language)


def test_unknown_keys_forms_and_codings_are_refused(save):
    file = save(rows(range(1, 10)))
    with pytest.raises(UnknownInstrument):
        wording.of("../phq9", "en")
    with pytest.raises(DefinitionError, match="phq9 has no form 'b'"):
        wording.load("phq9", file, language="en", form="b")
    with pytest.raises(DefinitionError, match="phq9 has no coding '1-4'"):
        wording.load("phq9", file, language="en", coding="1-4")


@pytest.mark.parametrize("key", ["gbo", "gas"])
def test_goals_have_no_wording(key, save):
    assert "has no items: it rates each person's own goals" in refusal(key, save(rows(["1"])))
    with pytest.raises(WordingError, match="no wording to load"):
        wording.blank(instrument(key))


# Where it is kept


def test_nothing_is_shown_without_loaded_wording():
    assert wording.of("phq9", "en") is None
    with pytest.raises(WordingError, match="No wording is loaded for phq9 in 'en'; loaded: none") as fault:
        wording.require("phq9", "en")
    assert "mbc instruments wording load phq9 FILE --language en" in str(fault.value)
    with pytest.raises(WordingError, match="No wording is loaded"):
        wording.remove("phq9", "en")


def test_languages_are_apart(save):
    file = save(rows(range(1, 10)))
    for language in ("en", "de", "pt_br"):
        wording.load("phq9", file, language=language)
    assert [one.language for one in wording.loaded("phq9")] == ["de", "en", "pt-BR"]
    assert wording.of("phq9", "en-GB") is None
    with pytest.raises(WordingError, match=r"loaded: de \(form standard\), en \(form standard\)"):
        wording.require("phq9", "fr")


@pytest.mark.parametrize("where", ["mbc/instruments/catalogue", "wording", "data/sample"])
def test_never_inside_the_program_or_its_repository(where, save):
    told = refusal("phq9", save(rows(range(1, 10))), directory=REPOSITORY / where)
    assert "is inside the program" in told
    assert "Give one outside: --wording-dir DIR, or MBC_WORDING" in told


def test_a_folder_of_ones_own(save, tmp_path, shelf):
    loaded = wording.load("phq9", save(rows(range(1, 10))), language="en", directory=tmp_path / "elsewhere")
    assert loaded.path == tmp_path / "elsewhere" / "phq9" / "en.standard.json"
    assert wording.of("phq9", "en") is None
    assert wording.of("phq9", "en", directory=tmp_path / "elsewhere") == loaded.wording
    assert not shelf.exists()


def test_the_last_text_removed_leaves_nothing_behind(save, shelf):
    wording.load("phq9", save(rows(range(1, 10))), language="en")
    assert [path.name for path in (shelf / "phq9").iterdir()] == ["en.standard.json"]
    wording.remove("phq9", "en")
    assert list(shelf.iterdir()) == []


def test_a_kept_file_that_was_spoiled_is_told(save, shelf):
    wording.load("phq9", save(rows(range(1, 10))), language="en")
    (shelf / "phq9" / "en.standard.json").write_text("{}", encoding="utf-8")
    with pytest.raises(WordingError, match="cannot be read as loaded wording"):
        wording.of("phq9", "en")
    assert wording.load("phq9", save(rows(range(1, 10))), language="en", overwrite=True)


def test_text_of_a_definition_that_has_changed_is_not_shown(save, tmp_path):
    start = (
        'key = "mine"\nversion = "1"\nsource = "kroenke2001"\nlicence = "free"\nanswers = { range = [0, 3] }\n'
        '[[scale]]\nkey = "total"\nitems = ["q1", "q2"]\nrule = "sum"\nrange = [0, 6]\n'
    )
    (tmp_path / "mine.toml").write_text(start, encoding="utf-8")
    wording.load(load_file(tmp_path / "mine.toml"), save(rows(["q1", "q2"])), language="en")
    changed = start.replace('"q1", "q2"', '"q1", "q3"').replace('version = "1"', 'version = "2"')
    (tmp_path / "mine.toml").write_text(changed, encoding="utf-8")
    with pytest.raises(WordingError, match=r"was loaded for version 1, and no longer fits its definition \(2\)"):
        wording.of(load_file(tmp_path / "mine.toml"), "en")


@pytest.mark.parametrize("text", [
    "How often [first_name]?", "How often at [event-name]?", "Dear ${e://Field/name}", "{{ Q1 }} times",
    "{TOKEN:FIRSTNAME}", "Hello %name%", "**How** often", "Salt &amp;amp; pepper", "[see](http://x)",
    "How <b often",
])  # fmt: skip
@pytest.mark.parametrize("place", ["question", "option", "instructions"])
def test_what_only_another_program_fills_in_is_never_kept_for_a_client(save, text, place):
    content = rows(range(1, 10))
    if place == "question":
        content = content.replace("Question about 4", text)
    elif place == "option":
        content = content.replace("seldom", text)
    else:
        content += f"instructions,{text},,,,\n"
    assert "write what a client should read" in refusal("phq9", save(content))


def test_brackets_and_braces_of_ordinary_text_are_kept(save):
    content = rows(range(1, 10)).replace("Question about 4", "How often (in two weeks) at 100% [or nearly so]?")
    assert wording.load("phq9", save(content), language="en").wording.items[3].text.endswith("[or nearly so]?")


@pytest.mark.parametrize("text", ["Worn out, or without energy", "One, two, three"])
def test_a_text_with_an_unquoted_separator_is_refused_with_its_line(save, text):
    message = refusal("phq9", save(rows(range(1, 10)).replace("Question about 3", text)))
    assert "row 4: " in message
    assert "must be in quotation marks" in message
    quoted = save(rows(range(1, 10)).replace("Question about 3", f'"{text}"'))
    assert wording.load("phq9", quoted, language="en").wording.items[2].text == text


@pytest.mark.parametrize(("options", "words"), [
    ("never,seldom,often", "3 options"), ("never,,often,", "3 options"),
])  # fmt: skip
def test_an_option_too_few_is_refused(save, options, words):
    assert words in refusal("phq9", save(rows(range(1, 10)).replace(",".join(OPTIONS), options, 1)))
