package workflows

import (
	"bytes"
	"encoding/json"
)

// What people type into Temporal's Web UI is read strictly: a key that a workflow does not know is an
// error, not passed over.

func strict(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

// UnmarshalJSON implements json.Unmarshaler.
func (in *SyncSourceInput) UnmarshalJSON(data []byte) error {
	type plain SyncSourceInput
	return strict(data, (*plain)(in))
}

// UnmarshalJSON implements json.Unmarshaler.
func (in *IngestFileInput) UnmarshalJSON(data []byte) error {
	type plain IngestFileInput
	return strict(data, (*plain)(in))
}

// UnmarshalJSON implements json.Unmarshaler.
func (in *BackfillSourceInput) UnmarshalJSON(data []byte) error {
	type plain BackfillSourceInput
	return strict(data, (*plain)(in))
}

// UnmarshalJSON implements json.Unmarshaler.
func (in *ListFilesInput) UnmarshalJSON(data []byte) error {
	type plain ListFilesInput
	return strict(data, (*plain)(in))
}

// UnmarshalJSON implements json.Unmarshaler.
func (in *EvaluateAudiencesInput) UnmarshalJSON(data []byte) error {
	type plain EvaluateAudiencesInput
	return strict(data, (*plain)(in))
}

// UnmarshalJSON implements json.Unmarshaler.
func (in *ActivateAudiencesInput) UnmarshalJSON(data []byte) error {
	type plain ActivateAudiencesInput
	return strict(data, (*plain)(in))
}

// UnmarshalJSON implements json.Unmarshaler.
func (in *ApplyWorkspaceInput) UnmarshalJSON(data []byte) error {
	type plain ApplyWorkspaceInput
	return strict(data, (*plain)(in))
}

// UnmarshalJSON implements json.Unmarshaler.
func (in *PlanWorkspaceInput) UnmarshalJSON(data []byte) error {
	type plain PlanWorkspaceInput
	return strict(data, (*plain)(in))
}
