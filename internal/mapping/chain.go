package mapping

import "fmt"

// Chain is a list of steps, compiled. It holds the buffers that its values are written to, so it is for
// one goroutine.
type Chain struct {
	names     []string
	functions []function
}

// CompileSteps prepares steps. Errors are those of Step.Check, with the step's place in the list.
func CompileSteps(steps []Step) (*Chain, error) {
	c := &Chain{}
	for i, s := range steps {
		name, f, err := s.compile()
		if err != nil {
			return nil, fmt.Errorf("step %d: %w", i+1, err)
		}
		c.names, c.functions = append(c.names, name), append(c.functions, f)
	}
	return c, nil
}

// Apply takes a value through the steps. No value (nil) passes through untouched, as does what becomes
// empty on the way: both come out as nil. failed names the step that could not take the value, and is
// empty when all went well. The value is not changed, and what is returned may be a part of it; it holds
// until the next call.
func (c *Chain) Apply(value []byte) (out []byte, failed string) {
	for i, f := range c.functions {
		if len(value) == 0 {
			return nil, ""
		}
		var ok bool
		if value, ok = f.apply(value); !ok {
			return nil, c.names[i]
		}
	}
	if len(value) == 0 {
		return nil, ""
	}
	return value, ""
}
