// Package pql reads and writes rules in Adobe's Profile Query Language: the operators and functions that apply to the
// attributes of one record. PQL knows true and false only: what is unknown counts as false wherever it is negated, so
// that "not" is the tree's IS NOT TRUE.
package pql

import (
	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"
)

// The grammar decides by the next token, so that reading takes time linear in the text.

type disjunction struct {
	Pos   lexer.Position
	Terms []*conjunction `parser:"@@ ( 'or' @@ )*"`
}

type conjunction struct {
	Pos   lexer.Position
	Terms []*negation `parser:"@@ ( 'and' @@ )*"`
}

type negation struct {
	Pos lexer.Position
	Not []string  `parser:"@( 'not' | '!' )*"`
	Of  *relation `parser:"@@"`
}

type relation struct {
	Pos  lexer.Position
	Left *sum  `parser:"@@"`
	Tail *tail `parser:"@@?"`
}

type tail struct {
	Operator string  `parser:"(   @( '=' | '!=' | '<=' | '>=' | '<' | '>' | 'in' | 'notIn' | 'like' )"`
	Right    *sum    `parser:"    @@"`
	Occurs   *occurs `parser:"  | 'occurs' @@ )"`
}

type occurs struct {
	From      *sum     `parser:"(   'between' @@"`
	To        *sum     `parser:"    'and' @@"`
	Operator  string   `parser:"  | @( '=' | '!=' | '<=' | '>=' | '<' | '>' )"`
	Count     string   `parser:"    @Number"`
	Unit      string   `parser:"    @Name"`
	Direction string   `parser:"    @( 'before' | 'after' | 'from' )"`
	Time      *postfix `parser:"    @@"`
	Side      string   `parser:"  | @( 'before' | 'after' )"`
	Limit     *postfix `parser:"    @@"`
	On        *postfix `parser:"  | 'on'? @@ )"`
}

type sum struct {
	Pos  lexer.Position
	Left *product  `parser:"@@"`
	Rest []*addend `parser:"@@*"`
}

type addend struct {
	Operator string   `parser:"@( '+' | '-' )"`
	Of       *product `parser:"@@"`
}

type product struct {
	Left *sign     `parser:"@@"`
	Rest []*factor `parser:"@@*"`
}

type factor struct {
	Operator string `parser:"@( '*' | '/' | '%' )"`
	Of       *sign  `parser:"@@"`
}

type sign struct {
	Pos   lexer.Position
	Minus bool     `parser:"@'-'?"`
	Of    *postfix `parser:"@@"`
}

type postfix struct {
	Pos   lexer.Position
	Of    *primary `parser:"@@"`
	Steps []*step  `parser:"@@*"`
}

type step struct {
	Pos    lexer.Position
	Name   string       `parser:"(   '.' @( Name | Quoted )"`
	Call   *arguments   `parser:"    @@?"`
	Filter *disjunction `parser:"  | '[' @@ ']' )"`
}

type arguments struct {
	Args []*disjunction `parser:"'(' ( @@ ( ',' @@ )* )? ')'"`
}

type primary struct {
	Pos    lexer.Position
	Let    *let           `parser:"  @@"`
	Number *number        `parser:"| @@"`
	Text   *string        `parser:"| @Text"`
	List   []*disjunction `parser:"| '[' @@ ( ',' @@ )* ']'"`
	Nested *disjunction   `parser:"| '(' @@ ')'"`
	Span   *span          `parser:"| @@"`
	Name   string         `parser:"| @( Name | Quoted )"`
	Call   *arguments     `parser:"  @@?"`
}

// let names a value, without a comparison outside parentheses: its "in" is the let's own.
type let struct {
	Name string       `parser:"'let' @Name '='"`
	Of   *sum         `parser:"@@ 'in' '('"`
	In   *disjunction `parser:"@@ ')'"`
}

// number may begin a relative time: 8 days before now.
type number struct {
	Value     string   `parser:"@Number"`
	Unit      string   `parser:"( @( 'millisecond' | 'milliseconds' | 'second' | 'seconds' | 'minute' | 'minutes' | 'hour' | 'hours' | 'day' | 'days' | 'week' | 'weeks' | 'month' | 'months' | 'year' | 'years' | 'decade' | 'decades' | 'century' | 'centuries' | 'millennium' | 'millennia' )"`
	Direction string   `parser:"  @( 'before' | 'after' | 'from' )"`
	Time      *postfix `parser:"  @@ )?"`
}

type span struct {
	Which string `parser:"@( 'this' | 'last' | 'next' )"`
	Unit  string `parser:"@Name"`
}

var grammar = participle.MustBuild[disjunction](
	participle.Lexer(lexer.MustSimple([]lexer.SimpleRule{
		{Name: "Space", Pattern: `\s+`},
		{Name: "Number", Pattern: `[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?`},
		{Name: "Text", Pattern: `"(\\.|[^"\\])*"`},
		{Name: "Quoted", Pattern: "`[^`]+`"},
		{Name: "Name", Pattern: `\$1|[\p{L}_][\p{L}\p{N}_]*`},
		{Name: "Operator", Pattern: `!=|<=|>=|[=<>!+*/%(),.\[\]-]`},
	})),
	participle.Elide("Space"),
)
