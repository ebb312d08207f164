package partnerdata

// weighted is a list of values and how often they occur, relative to each other.
type weighted []struct {
	value  string
	weight int
}

// index draws the place of a value.
func (g *generator) index(from weighted) int {
	sum := 0
	for _, v := range from {
		sum += v.weight
	}
	n := g.below(sum)
	for i, v := range from {
		if n -= v.weight; n < 0 {
			return i
		}
	}
	panic("beyond the last value")
}

// pick draws a value.
func (g *generator) pick(from weighted) string { return from[g.index(from)].value }

// blank empties a value in perMille of 1000 cases: optional values are often not known.
func (g *generator) blank(value *string, perMille int) {
	if g.chance(perMille) {
		*value = ""
	}
}

// The commonest names in the United States, roughly by frequency, and some that trip up readers
// of files: apostrophes, letters beyond ASCII.
var (
	men = weighted{
		{"James", 33}, {"Robert", 31}, {"John", 31}, {"Michael", 43}, {"David", 36}, {"William", 32}, {"Richard", 26},
		{"Joseph", 26}, {"Thomas", 23}, {"Christopher", 20}, {"Charles", 23}, {"Daniel", 19}, {"Matthew", 16}, {"Anthony", 14},
		{"Mark", 13}, {"Steven", 13}, {"Donald", 13}, {"Andrew", 13}, {"Joshua", 12}, {"Paul", 12}, {"Kenneth", 12}, {"Kevin", 12},
		{"Brian", 12}, {"Timothy", 11}, {"Ronald", 11}, {"Jason", 10}, {"George", 10}, {"Edward", 10}, {"Jeffrey", 10}, {"Ryan", 9},
		{"Jacob", 9}, {"Nicholas", 9}, {"Gary", 9}, {"Eric", 9}, {"Jonathan", 8}, {"Stephen", 8}, {"Larry", 8}, {"Justin", 8},
		{"Scott", 8}, {"Brandon", 8}, {"Benjamin", 8}, {"Samuel", 7}, {"Gregory", 7}, {"Alexander", 7}, {"Patrick", 7}, {"Frank", 6},
		{"Raymond", 6}, {"Jack", 6}, {"Dennis", 6}, {"Jerry", 6}, {"Tyler", 6}, {"Aaron", 6}, {"José", 5}, {"Adam", 5},
		{"Nathan", 5}, {"Henry", 5}, {"Zachary", 5}, {"Peter", 4}, {"Luis", 4}, {"Carlos", 4}, {"Juan", 4}, {"Jesús", 2},
		{"André", 2}, {"Hùng", 1}, {"Björn", 1},
	}
	women = weighted{
		{"Mary", 32}, {"Patricia", 16}, {"Jennifer", 15}, {"Linda", 15}, {"Elizabeth", 14}, {"Barbara", 14}, {"Susan", 11},
		{"Jessica", 11}, {"Karen", 10}, {"Sarah", 10}, {"Lisa", 10}, {"Nancy", 10}, {"Sandra", 9}, {"Betty", 9}, {"Ashley", 9},
		{"Emily", 9}, {"Kimberly", 9}, {"Margaret", 9}, {"Donna", 8}, {"Michelle", 8}, {"Carol", 8}, {"Amanda", 8}, {"Melissa", 8},
		{"Deborah", 8}, {"Stephanie", 7}, {"Rebecca", 7}, {"Sharon", 7}, {"Laura", 7}, {"Cynthia", 7}, {"Dorothy", 7}, {"Amy", 7},
		{"Kathleen", 7}, {"Angela", 7}, {"Shirley", 6}, {"Emma", 6}, {"Brenda", 6}, {"Pamela", 6}, {"Nicole", 6}, {"Anna", 6},
		{"Samantha", 6}, {"Katherine", 6}, {"Christine", 6}, {"Debra", 6}, {"Rachel", 6}, {"Carolyn", 5}, {"Janet", 5}, {"Maria", 8},
		{"Olivia", 5}, {"Heather", 5}, {"Helen", 5}, {"Catherine", 5}, {"Diane", 5}, {"Julie", 5}, {"Victoria", 5}, {"Joyce", 5},
		{"Lauren", 5}, {"Kelly", 5}, {"Christina", 5}, {"Ruth", 4}, {"María", 3}, {"Sofía", 2}, {"Zoë", 1}, {"Renée", 1},
		{"Chloé", 1}, {"D'Arcy", 1},
	}
	lastNames = weighted{
		{"Smith", 2443}, {"Johnson", 1933}, {"Williams", 1625}, {"Brown", 1437}, {"Jones", 1425}, {"Garcia", 1166}, {"Miller", 1162},
		{"Davis", 1116}, {"Rodriguez", 1095}, {"Martinez", 1060}, {"Hernandez", 1043}, {"Lopez", 874}, {"Gonzalez", 841},
		{"Wilson", 802}, {"Anderson", 784}, {"Thomas", 756}, {"Taylor", 751}, {"Moore", 724}, {"Jackson", 708}, {"Martin", 703},
		{"Lee", 694}, {"Perez", 682}, {"Thompson", 664}, {"White", 660}, {"Harris", 625}, {"Sanchez", 613}, {"Clark", 562},
		{"Ramirez", 557}, {"Lewis", 532}, {"Robinson", 530}, {"Walker", 523}, {"Young", 485}, {"Allen", 483}, {"King", 466},
		{"Wright", 459}, {"Scott", 440}, {"Torres", 438}, {"Nguyen", 438}, {"Hill", 435}, {"Flores", 433}, {"Green", 431},
		{"Adams", 428}, {"Nelson", 425}, {"Baker", 419}, {"Hall", 407}, {"Rivera", 391}, {"Campbell", 386}, {"Mitchell", 384},
		{"Carter", 377}, {"Roberts", 377}, {"Gomez", 366}, {"Phillips", 361}, {"Evans", 356}, {"Turner", 349}, {"Diaz", 347},
		{"Parker", 336}, {"Cruz", 335}, {"Edwards", 333}, {"Collins", 330}, {"Reyes", 328}, {"Stewart", 325}, {"Morris", 318},
		{"Morales", 315}, {"Murphy", 308}, {"Cook", 303}, {"Rogers", 303}, {"Gutierrez", 294}, {"Ortiz", 287}, {"Morgan", 286},
		{"Cooper", 281}, {"Peterson", 278}, {"Bailey", 277}, {"Reed", 277}, {"Kelly", 267}, {"Howard", 265}, {"Ramos", 263},
		{"Kim", 263}, {"Cox", 261}, {"Ward", 260}, {"Richardson", 259}, {"Watson", 252}, {"Brooks", 252}, {"Chavez", 250},
		{"Wood", 250}, {"James", 249}, {"Bennett", 247}, {"Gray", 246}, {"Mendoza", 243}, {"Ruiz", 243}, {"Hughes", 236},
		{"Price", 236}, {"Alvarez", 234}, {"Castillo", 230}, {"Sanders", 230}, {"Patel", 230}, {"Myers", 225}, {"Long", 223},
		{"Ross", 222}, {"Foster", 221}, {"Jimenez", 219}, {"O'Brien", 47}, {"O'Connor", 38}, {"O'Neill", 30}, {"D'Angelo", 18},
		{"Muñoz", 60}, {"Núñez", 35}, {"García", 40}, {"Peña", 30}, {"Çelik", 4}, {"Müller", 8}, {"Łukasz", 3}, {"Smith-Jones", 20},
	}
	nicknames = weighted{{"Bill", 5}, {"Bob", 4}, {"The Man", 1}, {"Liz", 4}, {"Buddy", 2}, {"JD", 2}}
)
