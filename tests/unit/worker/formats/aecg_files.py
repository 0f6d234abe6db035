"""HL7 aECG files, small and made here."""

GLIST_TS = (
    '<value xsi:type="GLIST_TS"><head value="20240229235959.500+0800"/><increment value="0.002" unit="s"/></value>'
)


def sequence(code, value):
    return f'<component><sequence><code code="{code}"/>{value}</sequence></component>'


def slist(digits, origin="0", scale="2.5", unit="uV", kind="SLIST_PQ"):
    text = digits if isinstance(digits, str) else " ".join(map(str, digits))
    return (
        f'<value xsi:type="{kind}"><origin value="{origin}" unit="{unit}"/><scale value="{scale}" unit="{unit}"/>'
        f"<digits>\n{text}\n</digits></value>"
    )


def sequence_set(leads, time=GLIST_TS, clock="TIME_ABSOLUTE"):
    body = "".join(sequence(code, value) for code, value in leads.items())
    return f"<component><sequenceSet>{sequence(clock, time) if time else ''}{body}</sequenceSet></component>"


def series(*sets, code="RHYTHM", extra=""):
    return f'<component><series><code code="{code}"/>{extra}{"".join(sets)}</series></component>'


def aecg(*parts, extra="", prefix="", encoding="UTF-8"):
    text = (
        f'<AnnotatedECG xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"{extra}{''.join(parts)}</AnnotatedECG>"
    )
    if prefix:
        text = (
            text.replace("<", f"<{prefix}:")
            .replace(f"<{prefix}:/", f"</{prefix}:")
            .replace("xmlns=", f"xmlns:{prefix}=")
        )
        text = text.replace('type="', f'type="{prefix}:')
    return f'<?xml version="1.0" encoding="{encoding}"?>{text}'.encode(encoding)
