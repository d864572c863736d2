"""Characters that stand for something hidden in a text that is learned.

They are 256 of Unicode's private use, and whatever learns texts keeps each as a word of its own.
"""

from __future__ import annotations

from typing import Final

FIRST: Final = 0xF0000
"""The first one. From here on they stand for mentions of people."""
FIRST_QUOTED: Final = FIRST + 128
"""From here on they stand for what rules took out: values of other columns of the row."""
LAST: Final = FIRST + 255
"""The last one."""
MENTIONED: Final = f"[{chr(FIRST)}-{chr(FIRST_QUOTED - 1)}]"
"""Any that stands for a mention, as a regular expression."""
QUOTED: Final = f"[{chr(FIRST_QUOTED)}-{chr(LAST)}]"
"""Any that stands for a quoted value, as a regular expression."""
