# SPDX-License-Identifier: Apache-2.0
"""The reference has each module's page and what its proto says."""
from __future__ import annotations

from pathlib import Path

from tools import docs
from tools.tree import Tree

PROTO = """\
// Acl filters.
syntax = "proto3";

// The argument
// of Acl.
message AclArg {
  // A rule.
  message Rule {
    uint32 port = 1;  // Of the packet.
  }
  oneof kind {
    // Rules, in order.
    repeated Rule rules = 1;
  }
  // By name.
  map<string, int32> table = 2;
}
"""

PAGE = "<!-- SPDX-License-Identifier: Apache-2.0 -->\n# Acl\n\nFilters.\n\n```\n# not a title\n```\n\n## Commands\n"

CLASS = """\
class Acl final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "Acl",
      .help = "filters",
      .ogates = kMaxGates,
      .max_workers = 1,
  };
  static Commands<Acl> commands() { return {{"add", &Acl::Add}}; }
  absl::Status Init(const pb::AclArg& arg) { return Add(arg); }
  absl::Status Add(const pb::AclArg& arg);
};
"""

EXPECTED = """\
## Acl

Filters.

```
# not a title
```

### Commands

### Declared

| | |
|---|---|
| input gates | 1 |
| output gates | 8192 |
| workers at most | 1 |
| argument | `AclArg` |
| command `add` takes | `AclArg` |

### `AclArg`

The argument of Acl.

| field | type | meaning |
|---|---|---|
| `rules` | `repeated Rule` | Rules, in order. |
| `table` | `map<string, int32>` | By name. |

### `AclArg.Rule`

A rule.

| field | type | meaning |
|---|---|---|
| `port` | `uint32` | Of the packet. |
"""


def test_reference(tmp_path: Path) -> None:
    (tmp_path / "modules" / "acl").mkdir(parents=True)
    (tmp_path / "modules" / "acl" / "acl.md").write_text(PAGE, encoding="utf-8")
    (tmp_path / "modules" / "acl" / "acl.cc").write_text(CLASS, encoding="utf-8")
    (tmp_path / "proto" / "modules").mkdir(parents=True)
    (tmp_path / "proto" / "modules" / "acl.proto").write_text(PROTO, encoding="utf-8")
    assert docs.reference(Tree(tmp_path)).endswith(EXPECTED)
