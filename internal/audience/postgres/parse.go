// Package postgres reads and writes rules as SQL conditions. The text is parsed with PostgreSQL's own grammar; of its
// tree a short list of nodes is taken, and everything else is refused. Nothing of the text is ever executed.
package postgres

import (
	"errors"
	"strings"
	"unicode/utf8"

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
	if at := deepest(text); at >= 0 {
		return nil, expression.Errorf(expression.TooLarge, at, "write it flatter, or as several audiences", "the rule is nested deeper than %d levels", expression.MaxDepth)
	}
	tree, err := pg.Parse(prefix + text + "\n)")
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
	found := -1
	outsideQuotes(text, func(at int) bool {
		if strings.HasPrefix(text[at:], "--") || strings.HasPrefix(text[at:], "/*") {
			found = at
		}
		return found < 0
	})
	return found
}

// deepest finds where a text is nested too deep: the grammar's stack is large, ours need not be tried.
func deepest(text string) int {
	found, depth, words := -1, 0, 0
	outsideQuotes(text, func(at int) bool {
		switch text[at] {
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		case 'n', 'N', 'c', 'C':
			if word(text, at, "not") || word(text, at, "case") {
				words++
			}
		}
		if depth > expression.MaxDepth || words > 10*expression.MaxDepth {
			found = at
		}
		return found < 0
	})
	return found
}

func word(text string, at int, word string) bool {
	return len(text)-at >= len(word) && strings.EqualFold(text[at:at+len(word)], word)
}

func outsideQuotes(text string, visit func(at int) bool) {
	quote := byte(0)
	for at := range len(text) {
		switch c := text[at]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case !visit(at):
			return
		}
	}
}
