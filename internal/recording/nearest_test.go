package recording_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
)

// bought are requests as a suite of a shop may have recorded them.
var bought = []string{
	`{"description":"men's cotton t-shirt","countryOfDestination":"US"}`,
	`{"description":"laptop computer","countryOfDestination":"US"}`,
	`{"description":"leather wallet for men","countryOfDestination":"US"}`,
	`{"description":"leather belt for men","countryOfDestination":"US"}`,
	`{"description":"women's running shoes, rubber sole","countryOfDestination":"US"}`,
	`{"description":"wool scarf","countryOfDestination":"US"}`,
	`{"description":"wool scarf","countryOfDestination":"DE"}`,
	`{"description":"ceramic coffee mug 350 ml","countryOfDestination":"US"}`,
	`{"description":"stainless steel water bottle","countryOfDestination":"US"}`,
	`{"description":"wooden dining table","countryOfDestination":"CA"}`,
	`{"description":"wooden dining chair","countryOfDestination":"CA"}`,
	`{"description":"LED desk lamp with USB port","countryOfDestination":"US"}`,
	`{"description":"bicycle helmet","countryOfDestination":"US"}`,
	`{"description":"dog collar, nylon","countryOfDestination":"US"}`,
	`{"description":"cat food, dry, chicken","countryOfDestination":"US"}`,
	`{"description":"green tea, loose leaf","countryOfDestination":"US"}`,
	`{"description":"ground coffee, decaffeinated","countryOfDestination":"US"}`,
	`{"description":"espresso machine","countryOfDestination":"US"}`,
	`{"description":"lithium-ion battery 12 V","countryOfDestination":"US"}`,
	`{"description":"car tyre","countryOfDestination":"GB"}`,
	`{"description":"paperback novel","countryOfDestination":"US"}`,
	`{"description":"children's picture book","countryOfDestination":"US"}`,
	`{"description":"acoustic guitar","countryOfDestination":"US"}`,
	`{"description":"silver necklace with pendant","countryOfDestination":"US"}`,
	`{"description":"sunglasses, polarised","countryOfDestination":"US"}`,
	`{"description":"olive oil, extra virgin","countryOfDestination":"DE"}`,
	`{"description":"Herrenhemd aus Baumwolle","countryOfDestination":"DE"}`,
	`{"description":"Küchenmesser aus Edelstahl","countryOfDestination":"DE"}`,
	`{"description":"chaussures de course pour femmes","countryOfDestination":"FR"}`,
	`{"description":"男士纯棉T恤","countryOfDestination":"CN"}`,
	`{"description":"不锈钢水瓶","countryOfDestination":"CN"}`,
	`{"items":[{"description":"knitted pullover","hs6":"611020","countryOfDestination":"US"}]}`,
	`{"items":[{"description":"knitted gloves","hs6":"611610","countryOfDestination":"US"}]}`,
	`{"product":{"title":"smart watch with heart rate sensor"},"destination":"us"}`,
	`{"companyId":17,"itemCode":"SKU-0815","countryOfDestination":"US"}`,
	`{"companyId":17,"itemCode":"SKU-4711","countryOfDestination":"US"}`,
	`{"description":"gift set","countryOfDestination":"US"}`,
	`{"description":"computer mouse, cordless","countryOfDestination":"US"}`,
	`{"description":"ice cube tray","countryOfDestination":"US"}`,
	`{"description":"silk necktie with stripes","countryOfDestination":"US"}`,
	`{"description":"silk necktie with many tiny dots","countryOfDestination":"DE"}`,
}

// TestTheNearestIsTheOneThatWasMeant asks for what somebody may well ask next, and wants
// the recording that they would name.
func TestTheNearestIsTheOneThatWasMeant(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{})
	for _, body := range bought {
		put(t, s, classify(body), answer(`{"hsCode":"1"}`))
	}
	hints := classify(`{"description":"men's cotton t-shirts","countryOfDestination":"US"}`)
	hints.Operation, hints.Path = "POST /hscode/hints", "/hscode/hints"
	put(t, s, hints, answer(`{}`))

	us := func(goods string) string {
		text, err := json.Marshal(map[string]string{"description": goods, "countryOfDestination": "US"})
		require.NoError(t, err)
		return string(text)
	}

	for _, row := range []struct{ asked, want string }{
		{us("men's cotton t-shirts"), "men's cotton t-shirt"},
		{us("Men’s Cotton T-Shirts"), "men's cotton t-shirt"},
		{us("mens cotton tshirt"), "men's cotton t-shirt"},
		{us("cotton t shirts for men"), "men's cotton t-shirt"},
		{us("t-shirt, cotton, men, white, size L"), "men's cotton t-shirt"},
		{us("men's coton t-shrt"), "men's cotton t-shirt"}, // typing mistakes
		{us("tee shirt"), "men's cotton t-shirt"},
		{us("laptops"), "laptop computer"},
		{us("computer, portable"), "laptop computer"},
		{us("latpop compter"), "laptop computer"},
		{us("canvas wallet"), "leather wallet"},
		{us("men's leather wallets"), "leather wallet"},
		{us("leather belts"), "leather belt"},
		{us("running shoe"), "women's running shoes"},
		{us("scarves of wool"), `wool scarf","countryOfDestination":"US`},
		{`{"countryOfDestination":"DE","description":"woolen scarves"}`, `wool scarf","countryOfDestination":"DE`},
		{`{"countryOfDestination":"de","description":"wool scarf, knitted"}`, `wool scarf","countryOfDestination":"DE`},
		{us("coffee mugs, ceramic"), "ceramic coffee mug"},
		{us("water bottles"), "stainless steel water bottle"},
		{us("bottle for water, stainless"), "stainless steel water bottle"},
		{us("wooden dining tables"), "wooden dining table"}, // of another country, but no chair
		{us("dining chairs, oak"), "wooden dining chair"},
		{us("desk lamps, LED"), "LED desk lamp"},
		{us("helmet for bicycles"), "bicycle helmet"},
		{us("dog colars"), "dog collar"},
		{us("dry cat food with salmon"), "cat food"},
		{us("tea, green"), "green tea"},
		{us("decaf ground coffee"), "ground coffee"},
		{us("espresso machines, 15 bar"), "espresso machine"},
		{us("lithium ion batteries"), "lithium-ion battery"},
		{us("car tires"), "car tyre"},
		{us("novels, paperback"), "paperback novel"},
		{us("picture books for children"), "children's picture book"},
		{us("guitars"), "acoustic guitar"},
		{us("silver pendants"), "silver necklace"},
		{us("polarized sunglasses"), "sunglasses"},
		{us("extra-virgin olive oils"), "olive oil"},
		{us("Herrenhemden, Baumwolle"), "Herrenhemd"},
		{us("Kuchenmesser"), "Küchenmesser"},
		{us("chaussures femme"), "chaussures de course"},
		{us("纯棉T恤 男士"), "男士纯棉T恤"},
		{us("水瓶"), "不锈钢水瓶"},
		{`{"items":[{"description":"knitted pullovers","hs6":"611030","countryOfDestination":"US"}]}`, "knitted pullover"},
		{`{"items":[{"hs6":"611610"}]}`, "knitted gloves"},
		{us("pullover, knitted"), "knitted pullover"}, // another shape
		{us("smart watches"), "smart watch"},
		{`{"goods":["wool scarf"],"to":"DE"}`, `wool scarf","countryOfDestination":"DE`},
		{`{"companyId":17,"itemCode":"SKU-4712","countryOfDestination":"US"}`, "SKU-4711"},
		{us("gift set, new"), "gift set"},
		{us("mice"), "computer mouse"},
		{us("silk neckties"), "silk necktie with stripes"},
		{`{"description":"silk neckties","countryOfDestination":"DE"}`, "silk necktie with many tiny dots"},
	} {
		rec, _, err := s.Nearest(classify(row.asked))
		require.NoError(t, err)
		if got := string(rec.Latest().Request.Body); !strings.Contains(got, row.want) {
			t.Errorf("asked %s: nearest is %s, want %s", row.asked, got, row.want)
		}
		assert.Equal(t, "/hscode/classify", rec.Inputs.Path, "the same operation first")
	}
}

// TestTheNearestIsOfFilesAsTheyAre: what is known of files is known anew where they
// changed, and one that can't be read hides no other.
func TestTheNearestIsOfFilesAsTheyAre(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{})
	shirt := put(t, s, classify(`{"description":"cotton shirt"}`), answer(`1`))
	put(t, s, classify(`{"description":"espresso machine"}`), answer(`1`))
	nearest := func() string {
		rec, _, err := s.Nearest(classify(`{"description":"cotton shirts"}`))
		require.NoError(t, err)
		return string(rec.Latest().Request.Body)
	}
	require.Contains(t, nearest(), "shirt")
	rec, err := s.Get(shirt)
	require.NoError(t, err)
	kept, err := os.ReadFile(rec.File)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(rec.File, []byte(strings.Replace(string(kept), `"takes"`, `"taken"`, 1)), 0o600))
	require.Contains(t, nearest(), "espresso", "a damaged one is not named")
	require.NoError(t, os.Remove(rec.File))
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(rec.File), "000000000000.json"), kept, 0o600))
	require.Contains(t, nearest(), "espresso")
	put(t, s, classify(`{"description":"shirts of cotton"}`), answer(`1`))
	require.Contains(t, nearest(), "shirts of cotton", "a new one is")
}

// BenchmarkNearest is a miss among ten thousand recordings: the first of a program, which
// reads them, and a later one.
func BenchmarkNearest(b *testing.B) {
	s, root := open(b, recording.Config{})
	rec := put(b, s, classify(`{"description":"men's cotton t-shirt","countryOfDestination":"US"}`), answer(`{"hsCode":"6109100012","description":"t-shirts"}`))
	one, err := s.Get(rec)
	require.NoError(b, err)
	text, err := os.ReadFile(one.File)
	require.NoError(b, err)
	for i := range 10_000 {
		r := classify(fmt.Sprintf(`{"description":"%s number %d","countryOfDestination":"US"}`, strings.Split(bought[i%31], `"`)[3], i))
		k := s.Key(r)
		file := strings.ReplaceAll(strings.ReplaceAll(string(text), one.Key, k.Sum), one.Inputs.BodySHA256, k.Inputs.BodySHA256)
		file = strings.Replace(file, "men's cotton t-shirt", fmt.Sprintf("%s number %d", strings.Split(bought[i%31], `"`)[3], i), 1)
		require.NoError(b, os.WriteFile(filepath.Join(filepath.Dir(one.File), k.Sum[:12]+".json"), []byte(file), 0o600))
	}
	asked := classify(`{"description":"men's cotton t-shirts","countryOfDestination":"US"}`)
	for name, fresh := range map[string]bool{"first": true, "later": false} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if fresh {
					s, err = recording.Open(recording.Config{Dir: filepath.Join(root, "recordings")})
					require.NoError(b, err)
				}
				found, _, err := s.Nearest(asked)
				require.NoError(b, err)
				require.Equal(b, one.File, found.File)
			}
		})
	}
}
