// Package postgres reads and writes rules as SQL conditions. The text is parsed with PostgreSQL's own grammar; of its
// tree a short list of nodes is taken, and everything else is refused. Nothing of the text is ever executed.
package postgres

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	pgtree "github.com/pganalyze/pg_query_go/v6"
	pg "github.com/wasilibs/go-pgquery"
	"github.com/wasilibs/go-pgquery/parser"

	"prospector/internal/audience/expression"
)

// The statement around a rule. Only the tree of its WHERE clause is ever used.
const prefix = "SELECT FROM prospects WHERE ("

// Parse reads a rule, which has passed expression.Readable.
func Parse(text string) (*expression.Node, error) {
	if at := comment(text); at >= 0 {
		return nil, expression.Errorf(expression.NotAllowed, at, "describe the rule in its description", "comments are not allowed in a rule")
	}
	if at := dollar(text); at >= 0 {
		return nil, expression.Errorf(expression.NotAllowed, at, "write texts in single quotes, and names with a $ in double quotes", "$ is not allowed in a rule")
	}
	if at := deepest(text); at >= 0 {
		return nil, expression.Errorf(expression.TooLarge, at, "write it flatter, or as several audiences", "the rule is nested deeper than %d levels", expression.MaxDepth)
	}
	tree, err := parsed(prefix + text + "\n)")
	if err != nil {
		return nil, syntaxError(text, err)
	}
	outside := expression.Errorf(expression.NotAllowed, 0, "join conditions with AND and OR inside parentheses", "the rule is more than one condition")
	if len(tree.Stmts) != 1 {
		return nil, outside
	}
	selection := tree.Stmts[0].GetStmt().GetSelectStmt()
	if selection == nil || selection.GetWhereClause() == nil || selection.GetLarg() != nil || len(selection.GetTargetList()) > 0 ||
		len(selection.GetSortClause())+len(selection.GetGroupClause())+len(selection.GetWindowClause())+len(selection.GetLockingClause()) > 0 ||
		selection.GetHavingClause() != nil || selection.GetLimitCount() != nil || selection.GetLimitOffset() != nil {
		return nil, outside
	}
	return reader{text}.node(selection.GetWhereClause())
}

// parsed is what PostgreSQL's parser makes of a text. It is a module whose stack deep trees overflow, and it would be of no use
// to anybody after that: deepest keeps such texts from it.
func parsed(text string) (tree *pgtree.ParseResult, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("PostgreSQL's parser gave up: %v", problem)
		}
	}()
	return pg.Parse(text)
}

// syntaxError says in a person's words what PostgreSQL's parser says. It counts characters.
func syntaxError(text string, err error) error {
	out := expression.Errorf(expression.Syntax, 0, "write conditions such as partner.hiking = 'Y', joined with AND and OR", "this is no SQL condition")
	var syntax *parser.Error
	if !errors.As(err, &syntax) {
		return out
	}
	out.Offset = bytesOf(text, syntax.Cursorpos-1-len(prefix))
	switch {
	case strings.HasPrefix(syntax.Message, "unterminated quoted"):
		out.Kind, out.Message, out.Hint = expression.OpenText, "a text has no end", "close it with '"
	case strings.TrimSpace(text[out.Offset:]) == "":
		out.Kind, out.Message, out.Hint = expression.Unfinished, "the rule is not finished", "is a value or a closing parenthesis missing at its end?"
	case !strings.HasPrefix(syntax.Message, "syntax error"):
		out.Message = shortened(syntax.Message)
	}
	return out
}

func shortened(message string) string {
	const most = 120
	if len(message) > most {
		message = strings.ToValidUTF8(message[:most], "") + "…"
	}
	return message
}

func bytesOf(text string, characters int) int {
	at := 0
	for ; characters > 0 && at < len(text); characters-- {
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	return at
}

// comment finds a comment: in a rule that is folded into one line it would hide the rest.
func comment(text string) int {
	return first(text, func(at int) bool { return strings.HasPrefix(text[at:], "--") || strings.HasPrefix(text[at:], "/*") })
}

// dollar finds a $, with which texts could begin that hide quotes.
func dollar(text string) int {
	return first(text, func(at int) bool { return text[at] == '$' })
}

func first(text string, is func(at int) bool) int {
	found := -1
	outsideQuotes(text, func(at int) bool {
		if is(at) {
			found = at
		}
		return found < 0
	})
	return found
}

// mostTokens is how many words and operators may stand between two commas, ANDs or ORs, with those around their brackets: each
// may be a level of the parser's tree, which overflows its stack above two thousand. A condition at MaxDepth has fewer.
const mostTokens = 1_000

// mostJoined is how many words may join queries. Rules have none; the parser nests them without brackets.
const mostJoined = 100

// deepest finds where a text may be nested too deep for the parser.
func deepest(text string) int {
	open, tokens, joined := []int{0}, 0, 0 // tokens of each bracket that is open, and all of them
	count := func() {
		open[len(open)-1]++
		tokens++
	}
	return first(text, func(at int) bool {
		c := text[at]
		switch {
		case c == '(' || c == '[':
			count()
			open = append(open, 0)
		case (c == ')' || c == ']') && len(open) > 1:
			tokens -= open[len(open)-1]
			open = open[:len(open)-1]
		case c == ',', startsWord(text, at, "and"), startsWord(text, at, "or"):
			tokens -= open[len(open)-1]
			open[len(open)-1] = 0
		case startsWord(text, at, "union"), startsWord(text, at, "except"), startsWord(text, at, "intersect"), startsWord(text, at, "join"), startsWord(text, at, "with"):
			joined++
			count()
		case inWord(c):
			if at == 0 || !inWord(text[at-1]) {
				count()
			}
		case c > ' ':
			count()
		}
		return len(open) > expression.MaxDepth+1 || tokens > mostTokens || joined > mostJoined
	})
}

func startsWord(text string, at int, word string) bool {
	end := at + len(word)
	return len(text) >= end && strings.EqualFold(text[at:end], word) && (at == 0 || !inWord(text[at-1])) && (end == len(text) || !inWord(text[end]))
}

func inWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf
}

// outsideQuotes visits the bytes that are in no text and no quoted name, until visit says no more. In E'…' a backslash takes a quote
// as it is.
func outsideQuotes(text string, visit func(at int) bool) {
	quote, escapes := byte(0), false
	for at := 0; at < len(text); at++ {
		switch c := text[at]; {
		case quote != 0 && c == '\\' && escapes:
			at++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
			escapes = c == '\'' && at > 0 && (text[at-1] == 'e' || text[at-1] == 'E') && (at == 1 || !inWord(text[at-2]))
		case !visit(at):
			return
		}
	}
}
