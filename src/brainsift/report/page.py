"""What all pages share: templates, style sheet, and a content policy that lets a page load nothing from anywhere."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from brainsift.report import words

FOLDER = "templates"


@cache
def environment() -> Environment:
    """The Jinja2 environment: everything is escaped, an unknown name is an error."""
    env = Environment(
        loader=PackageLoader("brainsift.report", FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(
        task_name=words.task_name,
        field_name=words.field_name,
        duration=words.duration,
        file_size=words.file_size,
        number=words.number,
    )
    return env


@cache
def asset(name: str) -> str:
    """Text of a style sheet or script that is put into the page."""
    return (Path(__file__).parent / FOLDER / name).read_text(encoding="utf-8")


def render(template: str, *, script: str | None = None, **values: Any) -> str:
    """Fill a template, with the style sheet (and a script) inside and a content policy that names both by their hash.

    The policy is the second wall behind escaping: text that came from a file name could not run even if it got through.
    """
    style = asset("style.css")
    code = asset(script) if script else None
    policy = ["default-src 'none'", f"style-src {_hash(style)}", "img-src data: file: 'self'", "base-uri 'none'"]
    policy.append("form-action 'none'")
    if code is not None:
        policy.append(f"script-src {_hash(code)}")
    return (
        environment()
        .get_template(template)
        .render(
            style=Markup(style),
            script=Markup(code) if code is not None else None,
            policy="; ".join(policy),
            **values,
        )
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def script_json(value: Any) -> Markup:
    """JSON that is safe inside a script element: no character of it can end the element or the line."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)


def embedded(path: Path) -> str | None:
    """A WebP file as a data address, or None where it is missing."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return "data:image/webp;base64," + base64.b64encode(data).decode()
