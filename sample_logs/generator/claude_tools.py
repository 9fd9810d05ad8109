"""The tools of Claude Code: the call, the result the model reads, and the copy the transcript keeps."""

from generator.blocks import Json
from generator.run import Call


def bash(command: str, description: str, output: str, seconds: float = 1.5, exit_code: int = 0) -> Call:
    """A shell command."""
    arguments = {"command": command, "description": description}
    if exit_code:
        shown = f"Exit code {exit_code}\n{output}"
        return Call("Bash", arguments, shown, seconds, is_error=True, detail=f"Error: {shown}")
    detail = {
        "stdout": output,
        "stderr": "",
        "interrupted": False,
        "isImage": False,
        "noOutputExpected": False,
    }
    return Call("Bash", arguments, output, seconds, is_error=False, detail=detail)


def read(path: str, content: str, first: int = 1, last: int | None = None) -> Call:
    """A file, or the lines first to last of it, with line numbers."""
    lines = content.rstrip("\n").split("\n")
    part = lines[first - 1 : last]
    arguments: Json = {"file_path": path}
    if first > 1 or last is not None:
        arguments |= {"offset": first, "limit": len(part)}
    shown = "\n".join(f"{number}\t{line}" for number, line in enumerate(part, first))
    file = {
        "filePath": path,
        "content": "\n".join(part),
        "numLines": len(part),
        "startLine": first,
        "totalLines": len(lines),
    }
    return Call("Read", arguments, shown, 0.4, detail={"type": "text", "file": file})


def grep(pattern: str, output: str, **options: str) -> Call:
    """A search through the working copy."""
    arguments = {"pattern": pattern, "output_mode": "content", "-n": True, **options}
    detail = {
        "mode": "content",
        "numFiles": 0,
        "filenames": [],
        "content": output,
        "numLines": output.count("\n") + 1,
    }
    return Call("Grep", arguments, output, 0.5, detail=detail)


def glob(pattern: str, *paths: str) -> Call:
    """File names that match a pattern."""
    detail = {"filenames": list(paths), "durationMs": 41, "numFiles": len(paths), "truncated": False}
    return Call("Glob", {"pattern": pattern}, "\n".join(paths), 0.3, detail=detail)


def edit(path: str, old: str, new: str) -> Call:
    """One replacement in a file."""
    removed, added = old.split("\n"), new.split("\n")
    hunk = {
        "oldStart": 1,
        "oldLines": len(removed),
        "newStart": 1,
        "newLines": len(added),
        "lines": [f"-{line}" for line in removed] + [f"+{line}" for line in added],
    }
    detail = {
        "filePath": path,
        "oldString": old,
        "newString": new,
        "originalFile": None,
        "structuredPatch": [hunk],
        "userModified": False,
        "replaceAll": False,
    }
    arguments = {"file_path": path, "old_string": old, "new_string": new, "replace_all": False}
    return Call("Edit", arguments, f"The file {path} has been updated successfully.", 0.3, detail=detail)


def write(path: str, content: str) -> Call:
    """A new file."""
    detail: Json = {
        "type": "create",
        "filePath": path,
        "content": content,
        "structuredPatch": [],
        "originalFile": None,
    }
    arguments = {"file_path": path, "content": content}
    return Call("Write", arguments, f"File created successfully at: {path}", 0.3, detail=detail)


def mcp(server: str, tool: str, arguments: Json, output: str, seconds: float = 3.0) -> Call:
    """A tool of an MCP server."""
    content = [{"type": "text", "text": output}]
    return Call(f"mcp__{server}__{tool}", arguments, content, seconds, detail=content)
