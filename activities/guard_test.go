package activities

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// EC-6: what may not leave any more is cut off soon, and for that reason, whatever sending says of it; what was cut off for another
// reason fails for that one.
func TestGuardEndsWhatMayNotLeave(t *testing.T) {
	refused, sent := errors.New("refused"), errors.New("sending failed")
	asked := 0
	ctx, g := guarded(t.Context(), time.Millisecond, func(context.Context) error {
		if asked++; asked < 3 {
			return nil
		}
		return refused
	})
	select {
	case <-ctx.Done():
	case <-time.After(time.Minute):
		t.Fatal("nobody asked")
	}
	require.ErrorIs(t, g.judge(ctx), refused)
	require.Equal(t, 3, asked, "a refusal stands")
	require.ErrorIs(t, g.end(sent), refused)

	ctx, g = guarded(t.Context(), time.Hour, func(context.Context) error { return nil })
	require.NoError(t, g.judge(ctx))
	require.ErrorIs(t, g.end(sent), sent)
	require.ErrorIs(t, g.judge(ctx), context.Canceled, "its upload is over")
	require.NoError(t, g.end(nil))

	asking := make(chan struct{})
	_, g = guarded(t.Context(), time.Millisecond, func(ctx context.Context) error {
		close(asking)
		<-ctx.Done()
		return ctx.Err()
	})
	<-asking
	g.cancel()
	require.ErrorIs(t, g.end(sent), sent, "whoever was being asked when it was over has not refused")
}
