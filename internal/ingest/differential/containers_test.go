package differential_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"prospector/internal/xdm"
)

// listMark and mapMark begin a value that is a list or map; no text does.
const (
	listMark = "\x00["
	mapMark  = "\x00{"
)

const mostElements = 1000

func listValue(elements []value) value {
	texts := make([]string, len(elements))
	for i, v := range elements {
		texts[i] = v.String()
	}
	return value(listMark + strings.Join(texts, " "))
}

func mapValue(pairs map[string]value) value {
	var texts []string
	for _, key := range slices.Sorted(maps.Keys(pairs)) {
		texts = append(texts, fmt.Sprintf("%q:%s", key, pairs[key]))
	}
	return value(mapMark + strings.Join(texts, " "))
}

// judgeContainer says what a text is as a value of a field that is a list or map, and otherwise with which codes it is refused: that
// of its shape, or those of its elements, each once.
func (o *oracle) judgeContainer(f xdm.Field, text string) (value, []string) {
	var keys, texts []string
	shape := ""
	if by := o.lists[f.Path]; by != "" {
		texts = strings.Split(text, by)
	} else {
		keys, texts, shape = readContainer(f.Container, text)
	}
	for i, text := range texts {
		if i < mostElements && (text == "" || slices.Contains(o.nulls, text)) && shape == "" {
			shape = "PROSPECT-TYPE"
		}
	}
	if shape == "" && len(texts) > mostElements {
		shape = "PROSPECT-LENGTH"
	}
	if shape != "" {
		return "", []string{shape}
	}
	if f.Required && len(texts) == 0 {
		return "", []string{"INGEST-1555-400"}
	}
	one, codes := f, []string(nil)
	one.Container = xdm.Single
	elements, pairs := []value{}, map[string]value{}
	for i, text := range texts {
		v, wrong := judge(one, text)
		for _, code := range wrong {
			if !slices.Contains(codes, code) {
				codes = append(codes, code)
			}
		}
		if elements = append(elements, v); keys != nil {
			pairs[keys[i]] = v
		}
	}
	if f.Container == xdm.Map {
		return mapValue(pairs), codes
	}
	return listValue(elements), codes
}

// readContainer reads JSON with the standard library; null is the empty text. A list that is not read to its end is one that has
// something wrong before.
func readContainer(kind xdm.Container, text string) (keys, texts []string, shape string) {
	const wrong = "PROSPECT-TYPE"
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	next := func() (json.Token, bool) {
		token, err := decoder.Token()
		return token, err == nil
	}
	begin, keys := json.Delim('['), nil
	if kind == xdm.Map {
		begin, keys = '{', []string{}
	}
	if token, ok := next(); !ok || token != begin {
		return nil, nil, wrong
	}
	for decoder.More() {
		if kind == xdm.Map {
			token, ok := next()
			key, _ := token.(string)
			if !ok || key == "" || slices.Contains(keys, key) || !textual(text, key) {
				return nil, nil, wrong
			}
			keys = append(keys, key)
		}
		token, ok := next()
		if !ok {
			return nil, nil, wrong
		}
		switch v := token.(type) {
		case json.Delim:
			return nil, nil, wrong
		case json.Number:
			texts = append(texts, v.String())
		case bool:
			texts = append(texts, strconv.FormatBool(v))
		case string:
			if !textual(text, v) {
				return nil, nil, wrong
			}
			texts = append(texts, v)
		default:
			texts = append(texts, "")
		}
	}
	if _, ok := next(); !ok {
		return nil, nil, wrong
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, wrong
	}
	return keys, texts, ""
}

// textual reports whether what was written as JSON is text: NUL is not, nor is half a surrogate pair, for which the standard library
// puts another character.
func textual(written, read string) bool {
	return !strings.Contains(read, "\x00") && (!strings.Contains(read, "\ufffd") || strings.Contains(written, "\ufffd") || strings.Contains(written, `\ufffd`))
}

// container is a text for a field that is a list or map; so many percent are of another shape.
func (g generator) container(f xdm.Field, separator string, wrong int) string {
	one := f
	one.Container = xdm.Single
	var texts []string
	for range pick(g, 0, 1, 1, 2, 3, 8) {
		text := ""
		for range 12 {
			text = g.text(one)
			if _, codes := judge(one, text); text != "" && len(codes) == 0 || g.chance(wrong) {
				break
			}
		}
		texts = append(texts, text)
	}
	if g.chance(1) && g.chance(20) {
		texts = slices.Repeat([]string{g.text(one)}, pick(g, mostElements, mostElements+1))
	}
	if separator != "" {
		return strings.Join(texts, separator)
	}
	var out bytes.Buffer
	for i, text := range texts {
		if i > 0 {
			out.WriteString(pick(g, ",", ",", " , "))
		}
		if f.Container == xdm.Map {
			out.WriteString(g.literal(pick(g, "k", "ä", "a b", "k\"", "k1", strconv.Itoa(g.IntN(50)), strconv.Itoa(i))) + pick(g, ":", " : "))
		}
		if f.Type != xdm.String && g.chance(50) && json.Valid([]byte(text)) {
			out.WriteString(text)
			continue
		}
		out.WriteString(g.literal(text))
	}
	ends := []string{"[", "]"}
	if f.Container == xdm.Map {
		ends = []string{"{", "}"}
	}
	text := ends[0] + out.String() + ends[1]
	if g.chance(wrong) {
		text = pick(g, "null", "{}", "[]", `"a"`, "1", "a", `[["a"]]`, `{"a":{}}`, `{"a":[1]}`, `["a",null]`, `{"a":null}`, `{"a":"x","a":"x"}`, `{"":"x"}`, `["\u0000"]`, `["\ud83d"]`, `{"\ud83d":"x"}`, `["a",]`, `{"a":1,}`, text+"]", text+" ",
			" "+text, strings.TrimSuffix(text, "]"), `{"a":[1}`, "[,]", "[01]", "[1 2]", `{"a"}`, `{a:1}`, "[NaN]", "[tru]", text+text)
	}
	return text
}

// literal is a text as JSON may write it.
func (g generator) literal(text string) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(g.chance(50))
	_ = encoder.Encode(text) // of a text there is no error
	return strings.TrimSpace(out.String())
}
