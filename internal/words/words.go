// Package words knows the words that goods are named by: which of them name nothing, and
// under which form each is looked for. The search of the mock's catalogue and that for
// the recording nearest to a miss have it in common. It may touch the standard library
// alone.
package words

import (
	"strings"
	"sync"
)

// set makes a set of the words in a text.
func set(text string) map[string]bool {
	m := make(map[string]bool)
	for w := range strings.FieldsSeq(text) {
		m[w] = true
	}
	return m
}

// pairs makes a map of words written as from=to.
func pairs(text string) map[string]string {
	m := make(map[string]string)
	for p := range strings.FieldsSeq(text) {
		from, to, _ := strings.Cut(p, "=")
		m[from] = to
	}
	return m
}

// Vocabulary is what is known of a language. It is never changed.
type Vocabulary struct {
	Stop     map[string]bool   // words that name nothing
	Boundary map[string]bool   // words after which the goods are no longer named
	Cue      map[string]bool   // stems that say for whom, of what or how, not what
	Holder   map[string]bool   // stems of what goods are sold in
	Form     map[string]string // a word and the stem it counts as
	Letter   map[string]bool   // single letters that make one word with the next
}

// English is the only one. Words of other languages are as they are written, but for what
// looks like a plural. It is made when it is first asked for: most commands never do.
var English = sync.OnceValue(english)

func english() *Vocabulary {
	return &Vocabulary{
		// Articles, selling words, colours, sizes and units: they stand in any
		// title and tell no two kinds of goods apart.
		Stop: set(`a an and or the of to at in on as is it its be this that your our my all any no non not n
		new best good great quality premium deluxe luxury classic original official authentic genuine real
		perfect ideal super ultra extra pro plus max professional modern vintage retro stylish elegant cute
		beautiful cool unique popular durable strong sturdy lightweight light-weight heavy duty portable
		adjustable foldable collapsible waterproof resistant breathable comfortable comfy soft reusable washable
		rechargeable removable replacement compatible universal multi multipurpose multifunctional
		small medium large big huge giant jumbo mini tiny long short slim thin thick wide full half size sized
		regular standard single double triple twin dual assorted various different
		black white red blue green yellow pink purple grey gray brown beige navy orange-coloured ivory cream-coloured
		multicolor multicolour multicolored colorful colourful color colour colored coloured
		pack packs set sets kit kits pair pairs piece pieces pc pcs ct count counts lot bundle bulk value box-of unit units
		free style styles design designs edition series collection type types model version gift gifts idea ideas
		item items product products goods thing things stuff sample samples misc miscellaneous various other others
		something anything article articles merchandise unisex adult adults everyday daily home house household indoor
		ml cl dl kg mg gram grams oz ounce ounces lb lbs pound pounds inch inches cm mm ft feet foot-long metre metres
		meter meters liter litre liters litres gallon gallons qt quart watt watts volt volts amp amps mah wh gb tb mb
		mp hz ghz btu rpm psi xl xxl xs xxxl
		high low easy use using used-for made handmade natural organic eco friendly fresh pure fine hd
		one two three four five six seven eight nine ten seater ply level tier speed speeds shade shades
		industrial commercial complete programmable`),
		Boundary: set(`for with w without including includes include featuring features by from via`),
		Cue: set(`man woman cotton wool polyester nylon silk linen leather synthetic acrylic viscose rayon cashmere
		modal bamboo velvet satin denim fleece knit woven plastic metal steel stainless wood iron glass ceramic
		aluminum silicone rubber brass copper paper fabric textile canvas mesh
		winter summer spring autumn outdoor sport casual fashion travel printed striped plaid hooded folding electric electronic cordless wireless digital smart automatic manual`),
		Holder: set(`jar tin bottle box bag can tube carton packet pouch canister roll sachet tub`),
		Form: pairs(`men=man mens=man gent=man gents=man boy=man boys=man male=man gentleman=man
		women=woman womens=woman lady=woman ladies=woman girl=woman girls=woman female=woman
		infant=baby infants=baby newborn=baby babies=baby
		kids=kid child=kid children=kid childrens=kid toddlers=toddler junior=kid youth=kid
		knitted=knit crocheted=crochet wooden=wood woollen=wool woolen=wool golden=gold metallic=metal
		tyre=tire tyres=tire jewellery=jewelry aluminium=aluminum fibre=fiber fibres=fiber
		pyjama=pajama pyjamas=pajama pjs=pajama colouring=coloring colour=color moisturiser=moisturizer
		moisturising=moisturizer moisturizing=moisturizer hydrating=moisturizer creme=cream organiser=organizer yoghurt=yogurt whisky=whiskey mould=mold moulds=mold
		moulding=molding moustache=mustache plough=plow doughnut=donut doughnuts=donut cosy=cozy
		humour=humor odour=odor flavour=flavor flavoured=flavor flavored=flavor fertiliser=fertilizer
		steriliser=sterilizer vaporiser=vaporizer sanitiser=sanitizer atomiser=atomizer humidifying=humidifier
		racquet=racket racquets=racket photochrome=photo television=tv televisions=tv telly=tv
		cosmetics=cosmetic watercolour=watercolor watercolours=watercolor trousers=trouser pants=pant jeans=jean leggings=legging tights=tights
		knives=knife scarves=scarf shelves=shelf loaves=loaf halves=half leaves=leaf wolves=wolf calves=calf
		feet=foot teeth=tooth mice=mouse geese=goose lens=lens lenses=lens shoes=shoe toes=toe canoes=canoe
		bus=bus buses=bus gas=gas gases=gas canvas=canvas series=series christmas=christmas xmas=christmas
		dishes=dish potatoes=potato tomatoes=tomato mangoes=mango
		cookies=cookie brownies=brownie movies=movie hoodies=hoodie beanies=beanie selfies=selfie smoothies=smoothie
		selfie=selfie zombies=zombie pies=pie ties=tie necktie=necktie neckties=necktie bowties=bowtie birdies=birdie
		onesies=onesie scrunchies=scrunchie talkies=talkie wellies=welly panties=panty undies=underwear veggies=veggie
		sofas=sofa settees=settee axes=axe glasses=glasses eyeglasses=eyeglasses sunglasses=sunglasses
		specs=glasses spectacles=glasses binoculars=binoculars scissors=scissors pliers=plier tweezers=tweezer
		clothes=clothes clothing=clothes apparel=clothes garment=clothes garments=clothes
		bicycle=bike bicycles=bike bikes=bike cellphone=phone cellphones=phone telephone=phone telephones=phone
		automobile=car auto=car automotive=car cars=car vehicles=vehicle
		refrigerators=refrigerator fridges=fridge tees=tee wifi=wifi colours=color colors=color
		espadrilles=espadrille crisps=crisps sweets=sweets curtains=curtain drapes=drape heels=heels
		running=running racing=racing bluetooth=bluetooth`),
		Letter: set(`t e x o`),
	}
}

// Fold turns a letter with an accent into the plain one.
var Fold = strings.NewReplacer("é", "e", "è", "e", "ê", "e", "ë", "e", "à", "a", "á", "a", "â", "a", "ä", "a",
	"å", "a", "ç", "c", "í", "i", "î", "i", "ï", "i", "ñ", "n", "ó", "o", "ô", "o", "ö", "o", "ø", "o",
	"ú", "u", "û", "u", "ü", "u", "’", "'", "‘", "'", "ß", "ss", "œ", "oe", "æ", "ae")

// Stem is the form under which a lower-case word is indexed: irregular forms
// from the table, else the word without its plural ending.
func Stem(w string) string {
	if s, ok := English().Form[w]; ok {
		return s
	}
	n := len(w)
	switch {
	case n <= 3 || w[n-1] != 's':
		return w
	case strings.HasSuffix(w, "ss"), strings.HasSuffix(w, "us"), strings.HasSuffix(w, "is"):
		return w
	case strings.HasSuffix(w, "ies") && n > 4:
		return w[:n-3] + "y"
	case strings.HasSuffix(w, "sses"), strings.HasSuffix(w, "xes"), strings.HasSuffix(w, "ches"),
		strings.HasSuffix(w, "shes"), strings.HasSuffix(w, "zzes"):
		return w[:n-2]
	}
	if s, ok := English().Form[w[:n-1]]; ok {
		return s
	}
	return w[:n-1]
}
