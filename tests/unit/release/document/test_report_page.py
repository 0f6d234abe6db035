"""The finished page, measured in the PDF itself."""

import re
import shutil
import subprocess
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import structlog
from fontTools.cffLib import CFFFontSet
from fontTools.pens.recordingPen import RecordingPen
from fontTools.ttLib import TTFont
from pypdf import PdfReader

from ecg_center.release.document.fonts import FontError, Printable, find_fonts, packaged_fonts
from ecg_center.release.document.model import Patient, Signatory, Supersedes
from ecg_center.release.document.render import MissingGlyphsError, render, unprintable

SYSTEM_FONTS = Path("/usr/share/fonts/opentype/noto")
needs_pdftotext = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs pdftotext (poppler-utils)")


def text_of(pdf: bytes) -> str:
    """The text as a reader would copy it, without white space."""
    out = subprocess.run(["pdftotext", "-q", "-", "-"], input=pdf, capture_output=True, check=True)
    return re.sub(r"[\s\u200b]+", "", out.stdout.decode())


def squeeze(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.fixture(scope="module")
def page(make_report) -> bytes:
    return render(make_report())


@needs_pdftotext
def test_what_is_not_printed_of_a_long_recording_is_said(page, make_report, make_trace):
    assert "记录共" not in text_of(page)
    ten = make_trace().samples
    long = render(make_report(trace=make_trace(samples=np.concatenate([ten, ten, ten], axis=1))))
    assert "本页为第0–10s，记录共30s" in text_of(long)


def box(path):
    xs, ys = zip(*path, strict=True)
    return min(xs), max(xs), min(ys), max(ys)


def test_ten_seconds_are_250_mm(page, read_paths):
    strips = [b for b in map(box, read_paths(page)) if b[1] - b[0] > 200 and 1 < b[3] - b[2] < 60]
    assert len(strips) == 1, "the rhythm strip is the one curve of ten seconds"
    # 9.999 s lie between the first and the last of 10 000 samples.
    assert strips[0][1] - strips[0][0] == pytest.approx(250 - 0.025, abs=0.01)


def test_one_millivolt_is_10_mm(page, read_paths):
    pulses = [p for p in read_paths(page) if len(p) == 6]
    assert len(pulses) == 4
    for pulse in pulses:
        left, right, top, bottom = box(pulse)
        assert bottom - top == pytest.approx(10.0, abs=0.01)
        assert right - left == pytest.approx(10.0, abs=0.01)
        assert pulse[3][0] - pulse[2][0] == pytest.approx(5.0, abs=0.01)


def test_the_curve_is_the_recording(page, read_paths, make_trace):
    trace = make_trace()
    strip = next(p for p in read_paths(page) if box(p)[1] - box(p)[0] > 200 and 1 < box(p)[3] - box(p)[2] < 60)
    mv = trace.samples[1] * trace.uv_per_lsb[1] / 1000
    drawn_mv = (max(y for _, y in strip) - min(y for _, y in strip)) / 10
    assert drawn_mv == pytest.approx(float(mv.max() - mv.min()), abs=0.001)
    left = strip[0][0]
    seconds_of_peak = (min(strip, key=lambda point: point[1])[0] - left) / 25
    assert seconds_of_peak == pytest.approx(float(np.argmax(mv)) / trace.sampling_hz, abs=0.002)


def test_the_grid_is_1_and_5_mm(page, read_paths):
    verticals = sorted({round(p[0][0], 3) for p in read_paths(page) if len(p) == 2 and box(p)[3] - box(p)[2] > 109})
    assert len(verticals) == 266
    assert np.allclose(np.diff(verticals), 1.0, atol=0.002)
    assert verticals[0] == pytest.approx(16.0, abs=0.01)


@pytest.mark.parametrize("gain", [5.0, 20.0])
def test_other_gains_are_true_too(gain, make_report, make_trace, read_paths):
    pdf = render(make_report(trace=make_trace(gain_mm_per_mv=gain)))
    pulse = next(p for p in read_paths(pdf) if len(p) == 6)
    assert box(pulse)[3] - box(pulse)[2] == pytest.approx(gain, abs=0.01)


def test_it_is_one_landscape_a4_page_of_pdf_a_2b(page):
    reader = PdfReader(BytesIO(page))
    assert len(reader.pages) == 1
    assert [round(float(v) / 72 * 25.4, 1) for v in reader.pages[0].mediabox] == [0, 0, 297, 210]
    xmp = reader.trailer["/Root"]["/Metadata"].get_data().decode()
    assert re.search(r"pdfaid:part[>=\"]+2", xmp)
    assert re.search(r"pdfaid:conformance[>=\"]+B", xmp)
    assert "/OutputIntents" in reader.trailer["/Root"]


def test_every_font_is_embedded(page):
    fonts = PdfReader(BytesIO(page)).pages[0]["/Resources"]["/Font"]
    assert fonts
    for font in fonts.values():
        descendant = font.get_object()["/DescendantFonts"][0].get_object()
        assert "/FontFile3" in descendant["/FontDescriptor"].get_object()
        assert "NotoSansCJK" in descendant["/BaseFont"]


def test_the_same_document_is_the_same_bytes(make_report, page):
    assert render(make_report()) == page


def test_a_page_takes_less_than_half_a_second(make_report, page):
    started = time.process_time()
    render(make_report(accession_number="EC250503000128"))
    assert time.process_time() - started < 0.5


@needs_pdftotext
def test_everything_of_the_report_is_on_the_page(page):
    text = text_of(page)
    parts = (
        "青川县人民医院区域心电诊断中心 心电图诊断报告 姓名张㛃（演示） 性别女 年龄63岁 科室急诊科 床号12",
        "住院号ZY20250012 检查号EC250503000127 检查时间2025-05-0308:07 报告时间2025-05-0308:31",
        "采集单位青川县木鱼镇中心卫生院",
        "心率 P波时限 P-R间期 QRS时限 388/428 电轴 -12 1.52/— 诊断意见 危急急性下壁心肌梗死可能 结论：异常心电图",
        "报告医师 王复直 审核医师 李骨角 2025-05-0308:25 备注： 25mm/s10mm/mV 0.05–150Hz 采样1000Hz aVR 第1版",
        "第1页/共1页 演示数据DEMO–非患者",
    )
    for part in " ".join(parts).split():
        assert part in text, part
    assert text.index("窦性心律") < text.index("急性下壁") < text.index("P-R间期正常")


@needs_pdftotext
def test_a_report_that_is_no_demo_does_not_say_so(make_report):
    assert "DEMO" not in text_of(render(make_report(demo=False, patient=Patient("张三", "M", "63岁"))))


@needs_pdftotext
def test_an_amendment_says_what_it_replaces(make_report):
    old = Supersedes(1, make_report().reported_at, "补充 V1 导联描述")
    text = text_of(render(make_report(version=2, supersedes=old)))
    assert "更正报告：本报告替代2025-05-0308:31发布的第1版" in text
    assert "更正原因：补充V1导联描述" in text
    assert text.count("第2版") == 2


@needs_pdftotext
def test_english(make_report):
    text = text_of(render(make_report(language="en", opinion=("Sinus rhythm",), urgent_finding="Possible STEMI")))
    for part in ("ECGreport", "Name张㛃", "Sexfemale", "Heartrate", "bpm", "URGENTPossibleSTEMI", "AbnormalECG"):
        assert part in text, part


def outlines(glyphs, names) -> set[str]:
    found = set()
    for name in names:
        pen = RecordingPen()
        glyphs[name].draw(pen)
        found.add(repr(pen.value))
    return found


@pytest.mark.parametrize("language", ["zh", "en"])
def test_han_characters_take_their_mainland_forms(language, make_report):
    """The wheel's default glyphs are the Traditional edition's: the embedded outlines must be the ZHS ones."""
    pdf = render(make_report(language=language, opinion=("骨直角复，",), urgent_finding=None))
    embedded: set[str] = set()
    for font in PdfReader(BytesIO(pdf)).pages[0]["/Resources"]["/Font"].values():
        file = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()["/FontFile3"]
        fonts = CFFFontSet()
        fonts.decompile(BytesIO(file.get_object().get_data()), None)
        strings = fonts[0].CharStrings
        embedded |= outlines(strings, strings.keys())
    with TTFont(next(packaged_fonts().directories[0].glob("*.otf"))) as source:
        glyphs, cmap, gsub = source.getGlyphSet(), source.getBestCmap(), source["GSUB"].table
        hani = next(r.Script for r in gsub.ScriptList.ScriptRecord if r.ScriptTag == "hani")
        zhs = next(r.LangSys for r in hani.LangSysRecord if r.LangSysTag == "ZHS ")
        records = [gsub.FeatureList.FeatureRecord[i] for i in zhs.FeatureIndex]
        lookups = [i for r in records if r.FeatureTag == "locl" for i in r.Feature.LookupListIndex]
        forms = {}
        for index in lookups:
            for table in gsub.LookupList.Lookup[index].SubTable:
                forms |= getattr(table, "ExtSubTable", table).mapping
        local = [character for character in "骨直角复，" if cmap[ord(character)] in forms]
        assert {"骨", "，"} <= set(local), "the trap is there"
        for character in local:
            assert outlines(glyphs, [forms[cmap[ord(character)]]]) <= embedded, character
            assert not outlines(glyphs, [cmap[ord(character)]]) & embedded, character


@needs_pdftotext
def test_rare_han_characters_are_kept(make_report):
    pdf = render(make_report(patient=Patient("㛃𠅤龘𬭎", "M", "1岁")), missing="refuse")
    assert "㛃𠅤龘𬭎" in text_of(pdf)


@needs_pdftotext
def test_a_missing_glyph_is_marked_and_logged_or_refused(make_report):
    document = make_report(patient=Patient("张𰻞\x07\ud800", "M", "1岁"))
    with structlog.testing.capture_logs() as logs:
        text = text_of(render(document))
    assert "张[U+30EDE][U+0007][U+D800]" in text
    assert logs[0]["event"] == "report_glyphs_missing"
    assert "张" not in str(logs), "a log names code points, not patients"
    with pytest.raises(MissingGlyphsError, match=r"U\+30EDE"):
        render(document, missing="refuse")
    assert unprintable(document) == {0x30EDE, 7, 0xD800}


@needs_pdftotext
def test_markup_is_text(make_report):
    hostile = (
        '#set page(fill: red) $x$ "q" \\ *b* _i_ `r` <l> @ref [c] {d} //c /*e*/ #sys.inputs #panic() \'); -- =\n= h'
    )
    pdf = render(
        make_report(
            patient=Patient(hostile, "O", hostile, hostile, hostile, hostile, hostile),
            opinion=(hostile,), remark=hostile, centre=hostile, member=hostile, title=hostile, urgent_finding=hostile,
            accession_number=hostile, signatories=(Signatory("reporting", hostile, make_report().reported_at),),
        )
    )  # fmt: skip
    assert text_of(pdf).count(squeeze(hostile)) >= 10


@needs_pdftotext
@pytest.mark.parametrize("unit", ["窦性心律不齐，", "W", "aVF导联 ST ", "字A"])
def test_a_long_opinion_goes_on_to_further_pages_whole(unit, make_report):
    lines = tuple(f"{i}:" + unit * (900 // len(unit)) for i in range(12))
    pdf = render(make_report(opinion=lines))
    reader = PdfReader(BytesIO(pdf))
    assert len(reader.pages) >= 2
    text = text_of(pdf)
    for page in reader.pages[1:]:
        assert "EC250503000127" in page.extract_text()
    running = re.compile(
        r"本报告经医师数字证书签名|演示数据DEMO–非患者|第\d页/共\d页·第1版|张㛃（演示）女63岁|检查号EC250503000127·续页"
    )
    body = running.sub("", text).replace("\f", "")
    for line in lines[4:]:
        assert squeeze(line) in body or set(squeeze(line)) <= set(body)
    for unit_char in set(squeeze(unit)):
        assert body.count(unit_char) >= sum(line.count(unit_char) for line in lines)


@needs_pdftotext
def test_nothing_leaves_the_page_or_its_column(make_report):
    """Every word that a reader finds lies within the margins."""
    long = Patient("名" * 300, "M", "9" * 100, "W" * 300, "床" * 100, "X1" * 150)
    pdf = render(make_report(patient=long, opinion=("W" * 3000, "字" * 3000), title="题" * 100, centre="A" * 300))
    out = subprocess.run(
        ["pdftotext", "-q", "-bbox", "-", "-"], input=pdf, capture_output=True, check=True
    ).stdout.decode()
    words = re.findall(r'xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)"', out)
    assert len(words) > 50
    for left, top, right, bottom in ((float(v) / 72 * 25.4 for v in word) for word in words):
        assert left >= 15.5
        assert right <= 297 - 15.5
        assert top >= 3
        assert bottom <= 207


def test_fonts_come_only_from_explicit_folders(tmp_path):
    with pytest.raises(FontError, match="does not exist"):
        find_fonts(tmp_path / "none")
    with pytest.raises(FontError, match="holds none of"):
        find_fonts(tmp_path)
    assert packaged_fonts().families == ("Noto Sans CJK TC",)


@pytest.mark.skipif(not SYSTEM_FONTS.is_dir(), reason="needs the package fonts-noto-cjk")
def test_the_systems_noto_is_taken_where_it_is_asked_for(make_report):
    fonts = find_fonts(SYSTEM_FONTS)
    assert fonts.families == ("Noto Sans CJK SC",)
    assert fonts.bold
    assert b"NotoSansCJKsc-Bold" in render(make_report(), fonts)


def test_printable_text():
    printable = Printable(packaged_fonts())
    assert printable.lines("a\tb\r\nc\u2028d") == ["a b", "c", "d"]
    assert printable.line("x\u202ey\ufeff\u200dz\ufe0f") == "xyz"
    assert not printable.missing
    assert printable.line("\ue001") == "[U+E001]"


def test_a_release_time_with_microseconds_prints(make_report):
    reported_at = make_report().reported_at.replace(microsecond=123456)
    assert render(make_report(reported_at=reported_at)).startswith(b"%PDF")
