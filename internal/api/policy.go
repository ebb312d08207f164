package api

import "time"

// Policy is one of the policies that hold, with who declared it. Of built-in ones, which the sandbox switches, nobody is said.
type Policy struct {
	Name             string     `json:"name"`
	Type             string     `json:"type"` // custom, core or pack
	Owner            string     `json:"owner"`
	Description      string     `json:"description,omitempty"`
	Status           string     `json:"status"`
	MarketingActions []string   `json:"marketingActions"`
	Deny             string     `json:"deny"` // the label expression
	Origin           string     `json:"origin,omitempty"`
	Created          *time.Time `json:"created,omitempty"`
	CreatedBy        string     `json:"createdBy,omitempty"`
	Updated          *time.Time `json:"updated,omitempty"`
	UpdatedBy        string     `json:"updatedBy,omitempty"`
}

// PolicyList is all policies of the workspace that holds (PL-11).
type PolicyList struct {
	Policies []Policy `json:"policies"`
}
