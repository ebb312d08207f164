package expression

// Verdict is the value of a condition for one prospect.
type Verdict string

// The verdicts.
const (
	True    Verdict = "true"
	False   Verdict = "false"
	Unknown Verdict = "unknown" // an attribute that it needs has no value
)

// Combine computes a condition's verdict from those of its leaves, which are in the order of Leaves.
func Combine(n *Node, leaves []Verdict) Verdict {
	rest := leaves
	return combine(n, &rest)
}

func combine(n *Node, rest *[]Verdict) Verdict {
	if !n.joins() {
		first := (*rest)[0]
		*rest = (*rest)[1:]
		return first
	}
	verdicts := make([]Verdict, len(n.Args))
	for i, arg := range n.Args {
		verdicts[i] = combine(arg, rest)
	}
	switch n.Op {
	case And:
		return strongest(verdicts, False, True)
	case Or:
		return strongest(verdicts, True, False)
	case Not:
		return map[Verdict]Verdict{True: False, False: True, Unknown: Unknown}[verdicts[0]]
	case IsTrue:
		return verdictOf(verdicts[0] == True)
	default:
		return verdictOf(verdicts[0] != True)
	}
}

// strongest is decisive if one verdict is, else unknown if one is, else the neutral one.
func strongest(verdicts []Verdict, decisive, neutral Verdict) Verdict {
	out := neutral
	for _, v := range verdicts {
		if v == decisive {
			return decisive
		}
		if v == Unknown {
			out = Unknown
		}
	}
	return out
}

func verdictOf(b bool) Verdict {
	if b {
		return True
	}
	return False
}
