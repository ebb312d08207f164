package activities

import "context"

// FinishSyncInput says what a run on a source came to.
type FinishSyncInput struct {
	Run     string `json:"run,omitempty"` // of the whole sync
	Outcome string `json:"outcome"`
	Files   int64  `json:"files"` // loaded
	Rows    int64  `json:"rows"`  // accepted in them
	Detail  string `json:"detail,omitempty"`
}

// FinishSync records the end of a run on a source, so that it can be judged later whether it may be retried.
func (a *Activities) FinishSync(ctx context.Context, in FinishSyncInput) error {
	return failure(a.Ledger.EndSync(ctx, runOf(ctx, in.Run), in.Outcome, in.Files, in.Rows, in.Detail, now()))
}
