# SPDX-License-Identifier: Apache-2.0
"""A tree with one module in it that has everything, for tests to take something away from."""

CLASS = """\
class ACL final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "ACL",
      .help = "filters",
      .igates = 2,
      .ogates = kOutputGates,
  };
  static Commands<ACL> commands() { return {{"add", &ACL::Add}, {"get_rules", &ACL::GetRules}}; }
  absl::Status Init(const pb::ACLArg& arg) { return Add(arg); }
  absl::Status Add(const pb::ACLArg& arg);
  absl::StatusOr<pb::ACLCommandGetRulesResponse> GetRules(const pb::EmptyArg&) const;
 private:
  static constexpr uint32_t kOutputGates = kBase + 1;
};
"""

PROTO = """\
// The argument.
message ACLArg {
  // A rule.
  message Rule {
    // Of the packet.
    uint32 port = 1;
  }
  // In order.
  repeated Rule rules = 1;
}
// What there is.
message ACLCommandGetRulesResponse {
  // How many.
  uint32 count = 1;
}
"""

PAGE = """\
# ACL

```
igate 0 -->  +-----+ --> ogate 0
igate 1 -->  | ACL | --> ogate 1
             +-----+
```

| argument | meaning |
|---|---|
| `rules` | a list |
| `rules[].port` | a port |

| command | answers |
|---|---|
| `add` | nothing |
| `get_rules` | `count` |
"""

COMPLETE = {
    "core/packet/base.h": "constexpr uint32_t kBase = 0x1;\n",
    "modules/acl/acl.cc": CLASS,
    "modules/acl/acl_test.cc": "TEST(ACLTest, Passes) {}\n",
    "modules/acl/table_test.cc": "TEST(TableTest, AgreesWithTheSlowWay) {}\n",
    "modules/acl/acl.pkt": "test one\ngraph\n    a::ACL()\nin a 0\n    b''\n",
    "modules/acl/acl.md": PAGE,
    "proto/modules/acl.proto": PROTO,
    "sample_conf/a.bess": "Source() -> ACL() -> Sink()\n",
}
