package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"prospector/internal/governance"
	"prospector/internal/workspace"
	"prospector/internal/xdm"
)

// introduction is the part of the reference page that people write.
//
//go:embed introduction.md
var introduction string

// node is what the page needs of a JSON Schema.
type node struct {
	Ref         string          `json:"$ref"`
	Type        string          `json:"type"`
	Const       string          `json:"const"`
	Enum        []string        `json:"enum"`
	Description string          `json:"description"`
	Required    []string        `json:"required"`
	Items       *node           `json:"items"`
	Additional  json.RawMessage `json:"additionalProperties"`
	Minimum     *float64        `json:"minimum"`
	Maximum     *float64        `json:"maximum"`
	Properties  orderedNodes    `json:"properties"`
}

// orderedNodes keeps the keys in the order of the types.
type orderedNodes struct {
	names []string
	nodes map[string]node
}

func (o *orderedNodes) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, &o.nodes); err != nil {
		return err
	}
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	depth := 0
	for token, err := decoder.Token(); err == nil; token, err = decoder.Token() {
		switch t := token.(type) {
		case json.Delim:
			depth += map[json.Delim]int{'{': 1, '[': 1, '}': -1, ']': -1}[t]
		case string:
			if depth == 1 && !slices.Contains(o.names, t) {
				if _, ok := o.nodes[t]; ok {
					o.names = append(o.names, t)
				}
			}
		}
	}
	return nil
}

// reference writes docs/workspace.md from the JSON Schema.
func reference(schema []byte) ([]byte, error) {
	var document struct {
		Definitions map[string]node `json:"$defs"`
	}
	if err := json.Unmarshal(schema, &document); err != nil {
		return nil, err
	}
	var out strings.Builder
	out.WriteString(introduction)
	written := map[string]bool{}
	for _, kind := range workspace.Kinds {
		fmt.Fprintf(&out, "\n## %s\n\n", kind)
		section(&out, document.Definitions, kind, written)
	}
	out.WriteString("\n## Core labels\n\nThe data that carries the label …\n\n| label | category | |\n|---|---|---|\n")
	for _, l := range governance.CoreLabelSet {
		fmt.Fprintf(&out, "| `%s` | %s | %s |\n", l.Name, l.Category, l.Meaning)
	}
	fmt.Fprintf(&out, "\n## Marketing actions\n\n%s.\n\n", code(governance.CoreMarketingActions))
	policies(&out)
	out.WriteString("\n## Standard field groups\n\n")
	for _, g := range xdm.BuiltInGroups() {
		fmt.Fprintf(&out, "- *%s*, %d fields such as `%s`\n", g.Title, len(g.Fields), g.Fields[0].Path)
	}
	return []byte(out.String()), nil
}

// policies writes the policies that are built in.
func policies(out *strings.Builder) {
	out.WriteString("## Built-in policies\n\nSwitched by `governance: {enable: […]}` of the Sandbox. See [governance.md](governance.md).\n\n| name | denies | for | |\n|---|---|---|---|\n")
	for _, p := range governance.BuiltIn(nil) {
		what := p.Type + " policy, " + p.Basis
		if p.Type == governance.Pack {
			what = "of the pack `" + p.Basis + "`"
		}
		fmt.Fprintf(out, "| %s | %s | %s | %s; %s |\n", p.Name, strings.Join(p.MarketingActions, ", "), p.Deny, what, p.Description)
	}
}

// section writes a definition's keys, and below it the definitions that only it brings.
func section(out *strings.Builder, definitions map[string]node, name string, written map[string]bool) {
	written[name] = true
	n := definitions[name]
	fmt.Fprintf(out, "%s\n\n| key | value | |\n|---|---|---|\n", n.Description)
	var below []string
	for _, key := range n.Properties.names {
		if key == "kind" {
			continue
		}
		p := n.Properties.nodes[key]
		mark := ""
		if slices.Contains(n.Required, key) {
			mark = "**required** "
		}
		fmt.Fprintf(out, "| `%s` | %s | %s%s |\n", key, p.value(), mark, strings.ReplaceAll(p.Description, "|", "\\|"))
		if inner := p.definition(); inner != "" && !written[inner] && !slices.Contains(below, inner) {
			below = append(below, inner)
		}
	}
	for _, inner := range below {
		fmt.Fprintf(out, "\n### %s\n\n", inner)
		section(out, definitions, inner, written)
	}
}

// value says in words what a key takes.
func (n node) value() string {
	switch {
	case n.Ref != "":
		name := n.definition()
		return "[" + name + "](#" + strings.ToLower(name) + ")"
	case len(n.Enum) > 0:
		return strings.ReplaceAll(code(n.Enum), ", ", " or ")
	case n.Type == "array":
		return "list of " + n.Items.value()
	case n.Type == "object":
		var values node
		_ = json.Unmarshal(n.Additional, &values) // false: no map
		return "map to " + values.value()
	case n.Minimum != nil && n.Maximum != nil:
		return fmt.Sprintf("%g to %g", *n.Minimum, *n.Maximum)
	}
	return map[string]string{"string": "text", "integer": "whole number", "number": "number", "boolean": "`true` or `false`"}[n.Type]
}

// definition is the definition that a key's values have.
func (n node) definition() string {
	switch {
	case n.Ref != "":
		return strings.TrimPrefix(n.Ref, "#/$defs/")
	case n.Items != nil:
		return n.Items.definition()
	case n.Type == "object":
		var values node
		_ = json.Unmarshal(n.Additional, &values) // false: no map
		return values.definition()
	}
	return ""
}

func code(texts []string) string { return "`" + strings.Join(texts, "`, `") + "`" }
