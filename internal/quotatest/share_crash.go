package quotatest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/share"
)

// The size of one trial of buyers.
const (
	buyers         = 8
	boughtAnswers  = 60
	buyersKills    = 12
	buyersPatience = 20 * time.Second // less than a claim lives of somebody whose end nobody noticed
)

// buys asks all questions, in an order of its own, as the recordings of a machine do: a
// claim, a look, and what is not there is bought and shared. It tells of each step.
func (a *actor) buys(ctx context.Context, url string, seed int64) error {
	with := a.store.(share.Store)
	for _, i := range rand.New(rand.NewPCG(uint64(seed), 0)).Perm(boughtAnswers) {
		if err := a.buysOne(ctx, with, fmt.Sprintf("question%d", i), url); err != nil {
			return err
		}
	}
	return nil
}

func (a *actor) buysOne(ctx context.Context, with share.Store, key, url string) error {
	ctx, cancel := context.WithTimeout(ctx, buyersPatience)
	defer cancel()
	release, err := with.ShareClaim(ctx, key)
	if err != nil {
		return err
	}
	defer release()
	found, err := with.ShareOf(ctx, key, time.Time{})
	if err != nil {
		return err
	}
	if len(found) > 0 {
		one := found[0]
		if share.Sum(one.Text) != one.Hash || !bytes.HasPrefix(one.Text, []byte(key+" ")) {
			return fmt.Errorf("the answer of %s is %d bytes with another hash, or of another question", key, len(one.Text))
		}
		fmt.Fprintln(a.out, "has", key, one.Hash)
		return nil
	}
	fmt.Fprintln(a.out, "asks", key)
	answer, err := client.Post(url+"/"+key, "text/plain", nil)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err != nil {
		return err
	}
	bought := share.Answer{Hash: share.Sum(text), Key: key, State: "answer", BoughtAt: time.Now(), Bytes: int64(len(text)), Text: text}
	if err := with.ShareAdd(ctx, bought, 0); err != nil {
		return err
	}
	fmt.Fprintln(a.out, "shared", key, bought.Hash)
	return nil
}

// seller is the service that answers buyers, and counts each question.
type seller struct {
	*httptest.Server
	mu      sync.Mutex
	counted map[string]int
	onCount func()
}

func newSeller(t testing.TB) *seller {
	s := &seller{counted: map[string]int{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := strings.TrimPrefix(r.URL.Path, "/")
		s.mu.Lock()
		s.counted[key]++
		n := s.counted[key]
		s.mu.Unlock()
		s.onCount()
		// Long enough that half of it can be on its way.
		_, _ = fmt.Fprintf(w, "%s is answered the %d. time: %s", key, n, strings.Repeat(key, 5000))
	}))
	t.Cleanup(s.Close)
	return s
}

// Buyers lets 8 processes that have nothing but a ledger in common ask the same questions,
// and kills some at random moments. By the service's own count each answer is bought once,
// and once more for each process that was killed while it bought that very one; what a
// process was told to be shared is there, whole and of its question, and all are given the
// same where nobody was killed who bought it; what the dead had claimed is free at once.
func (p Processes) Buyers(t *testing.T, seeds int) {
	trials(t, seeds, p.buyers)
}

func (p Processes) buyers(t *testing.T, seed uint64) {
	s := p.share(t, 1, long)
	sells := newSeller(t)
	random := rand.New(rand.NewPCG(seed, 1))
	at := newMoments(boughtAnswers / buyersKills)
	sells.onCount = func() { at.saw("") }
	said := newSaid()
	workers := newGang(s.T, buyers, func(i int) (*child, string) {
		c := s.child(long)
		c.tell("buys %s %d", sells.URL, seed*100+uint64(i))
		return c, fmt.Sprint(i)
	}, said)
	workers.run(at.strike(func(string) { workers.killSoon(random) }))

	with := s.store.(share.Store)
	listed, err := with.ShareList(t.Context(), time.Time{})
	require.NoError(t, err)
	shared := map[string][]string{} // by question
	for _, one := range listed {
		shared[one.Key] = append(shared[one.Key], one.Hash)
	}
	for key, hashes := range shared {
		// Whoever is killed while it shares may still be heard after its end.
		assert.LessOrEqual(t, len(hashes), 1+said.lastWords("asks "+key), "%s is shared twice, and nobody was killed who bought it", key)
	}
	for _, words := range said.all() {
		if f := strings.Fields(words); f[0] != "asks" {
			assert.Contains(t, shared[f[1]], f[2], "%s: it is there, and everybody has the same", words)
		}
	}
	sells.mu.Lock()
	defer sells.mu.Unlock()
	again := 0
	for i := range boughtAnswers {
		key := fmt.Sprintf("question%d", i)
		again += sells.counted[key] - 1
		assert.GreaterOrEqual(t, sells.counted[key], 1)
		assert.LessOrEqual(t, sells.counted[key], 1+said.lastWords("asks "+key), "%s was bought again, and nobody was killed who bought it", key)
		ctx, cancel := context.WithTimeout(t.Context(), buyersPatience)
		release, err := with.ShareClaim(ctx, key)
		cancel()
		require.NoError(t, err, "the dead keep it")
		release()
	}
	t.Logf("questions %d, processes %d, kills %d: bought again %d", boughtAnswers, buyers, workers.kills, again)
	assert.Positive(t, workers.kills)
	assert.LessOrEqual(t, again, workers.kills)
}
