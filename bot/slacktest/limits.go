package slacktest

import "time"

// Slack allows one message a second to a channel, "with short bursts"; this is the burst the fake tolerates.
const channelBurst = 4

// bucket is a token bucket that refills with the workspace's clock.
type bucket struct {
	tokens float64
	at     time.Time
}

// limited takes one token of a bucket of perMin tokens and returns how long to wait when there is none.
// The caller holds mu.
func (w *Workspace) limited(key string, perMin int) time.Duration {
	return w.take(key, float64(perMin), float64(perMin)/60)
}

// limitedChannel is limited for messages to one channel: one a second, with a burst.
func (w *Workspace) limitedChannel(channelID string) time.Duration {
	return w.take("chat.postMessage "+channelID, channelBurst, 1)
}

func (w *Workspace) take(key string, size, perSecond float64) time.Duration {
	if w.cfg.NoRateLimits || size == 0 {
		return 0
	}
	now := w.cfg.Now()
	b := w.buckets[key]
	if b == nil {
		b = &bucket{tokens: size, at: now}
		w.buckets[key] = b
	}
	b.tokens = min(size, b.tokens+max(0, now.Sub(b.at).Seconds())*perSecond)
	b.at = now
	if b.tokens >= 1 {
		b.tokens--
		return 0
	}
	return time.Duration((1 - b.tokens) / perSecond * float64(time.Second))
}
