"""The words of the embedded set `opinions`: by topic, and general ones."""

import re
from collections.abc import Mapping


def _read(text: str) -> dict[str, tuple[str, ...]]:
    """Return the phrases of each entry `name: phrase, phrase`, by name. Indented lines continue an entry."""
    entries = (entry.split(":", 1) for entry in re.split(r"\n(?! )", text.strip()))
    return {
        name: tuple(" ".join(phrase.split()) for phrase in phrases.split(",")) for name, phrases in entries
    }


GENERAL = _read("""
good: good, great, wonderful, superb, fantastic, brilliant, splendid, delightful, lovely, terrific, magnificent,
  excellent, outstanding, amazing, perfect, impressive, remarkable, first-rate, pleasant, enjoyable, marvelous,
  fabulous, exceptional, stunning, flawless, satisfying, top-notch, glorious, charming, decent, solid, admirable,
  beautiful, memorable, exquisite, refreshing, stellar, nice, fine, awesome, incredible, spectacular, sublime,
  phenomenal, likable, worthwhile, classy, special, convincing, rewarding, lovable, dazzling, irresistible, uplifting,
  fun, warm, sweet, elegant, smart, tasteful, high-quality, priceless, heavenly, dreamy, smooth, thoughtful, polished,
  magical, clever, divine
bad: bad, terrible, dreadful, poor, horrible, lousy, miserable, disappointing, mediocre, dismal, ghastly, awful,
  atrocious, abysmal, pathetic, unbearable, shoddy, unpleasant, second-rate, appalling, inferior, hopeless,
  horrendous, weak, sloppy, worthless, lame, ugly, useless, crummy, laughable, forgettable, subpar, unacceptable,
  annoying, irritating, cheap, careless, depressing, pitiful, disgraceful, woeful, rubbish, overrated, pointless,
  tiresome, frustrating, bland, half-baked, lackluster, nasty, dire, hideous, gross, grim, sad, messy, stupid, boring,
  infuriating, unbearably dull, tacky, ridiculous, shameful, clumsy, joyless, rotten, obnoxious, insufferable,
  ill-conceived, disgusting, lazy
good_noun: masterpiece, triumph, treat, joy, winner, pleasure, treasure, success, hit, jewel, wonder, marvel, dream,
  revelation, success story, keeper, bargain, home run, knockout, feast for the senses, breath of fresh air, must,
  classic, sensation, stroke of genius, gift, find, delight, thrill, blast, ray of sunshine, highlight of the year,
  work of art, thing of beauty, stunner, charmer, favorite, blessing, victory
bad_noun: disaster, disappointment, failure, flop, bore, nightmare, catastrophe, embarrassment, joke, insult,
  shambles, dud, waste of time, waste of money, chore, rip-off, trainwreck, fiasco, mistake, headache, disgrace,
  snoozefest, misfire, farce, lemon, letdown, bummer, dump, eyesore, pain, torture, travesty, ordeal, turkey, hot
  mess, train wreck, horror, sham, dead end
loved: loved, adored, enjoyed, liked, admired, cherished, really liked, thoroughly enjoyed, fell in love with, raved
  about, had a soft spot for, marveled at, treasured
hated: hated, despised, loathed, disliked, regretted, detested, really disliked, couldn't stand, got bored by, got
  tired of, got sick of, could barely tolerate, cursed
love: love, adore, enjoy, like, admire, recommend, praise, cherish, appreciate
hate: hate, despise, loathe, dislike, regret, detest, resent, condemn, curse
pleased: impressed, delighted, pleased, satisfied, thrilled, charmed, amazed, happy, enchanted, overjoyed, grateful,
  hooked, glad, spellbound, captivated
displeased: disappointed, bored, annoyed, frustrated, unimpressed, disgusted, unhappy, underwhelmed, irritated,
  appalled, angry, fed up, dissatisfied, upset, insulted
please: impress, delight, please, satisfy, thrill, charm, amaze, enchant, captivate, entertain, move, surprise
displease: disappoint, bore, annoy, frustrate, disgust, irritate, upset, insult, exhaust, enrage, depress, offend
does_please: impresses, delights, pleases, satisfies, thrills, charms, amazes, enchants, captivates, entertains
does_displease: disappoints, bores, annoys, frustrates, disgusts, irritates, upsets, insults, exhausts, depresses
flaw: problem, flaw, fault, mistake, weakness, complaint, glitch, blemish, defect, weak spot, false note,
  hiccup, shortcoming, disappointment, annoyance, slip, letdown
flaws: problems, flaws, faults, mistakes, weaknesses, complaints, glitches, defects, shortcomings, errors,
  disappointments, annoyances
merit: redeeming quality, saving grace, strength, good idea, bright spot, merit, virtue, good point, original idea,
  positive side, reason to smile, advantage, good thing to say, spark of life
merits: redeeming qualities, strengths, good ideas, bright spots, merits, virtues, good points, original ideas,
  advantages, delights, pleasures, highlights
better: better, nicer, more enjoyable, more interesting, more pleasant, smarter, more charming, more satisfying,
  lovelier, finer, more impressive, more reliable, stronger
worse: worse, more boring, more disappointing, more annoying, duller, uglier, poorer, weaker, more tedious, more
  frustrating, sillier, more pointless, more irritating
best: best, finest, loveliest, nicest, most enjoyable, most impressive, most charming, most satisfying, greatest, most
  rewarding, strongest
worst: worst, weakest, dullest, poorest, most disappointing, most annoying, most tedious, ugliest, most pointless,
  most frustrating, sorriest
beats: beats, tops, surpasses, outdoes, outshines, outclasses, eclipses, outperforms, puts to shame, leaves behind,
  improves on, easily beats, is miles ahead of, is a match for, is worthy of
loses_to: trails, can't match, falls short of, doesn't come close to, pales beside, can't hold a candle to, is no
  match for, is a far cry from, is a shadow of, can't compete with, is a poor copy of, lags behind, cheapens
very: really, very, truly, so, quite, pretty, extremely, incredibly, absolutely, utterly, totally, completely,
  thoroughly, remarkably, unbelievably, genuinely, rather, awfully, terribly, wildly, insanely, surprisingly,
  ridiculously, simply, just, downright, hugely, deeply, particularly, especially, seriously
fully: absolutely, utterly, totally, completely, thoroughly, entirely, simply, downright, positively, perfectly, truly
slightly: a bit, a little, somewhat, slightly, rather, a touch, kind of, sort of, a tad
friend: my sister, my brother, my husband, my wife, my mother, my father, my daughter, my son, my neighbor, my boss,
  my best friend, a colleague, my roommate, my uncle, my grandmother, my cousin, our guide, my teacher, everyone,
  everybody, the whole family, my partner, our team, the entire group, half the office, my girlfriend, my boyfriend
we: I, We, My friends and I, My wife and I, My husband and I
name: Anna, Marcus, Helen, Tom, Sofia, James, Linda, Carlos, Mei, Robert, Julia, Ahmed, Karen, Pavel, Nina, Oliver,
  Fatima, Hugo, Ingrid, Sam, Mr. Hall, Mrs. Weber, Dr. Lopez, Ms. Tanaka
time: last week, last night, yesterday, on Sunday, in March, over the weekend, last summer, this morning, on our
  anniversary, two days ago, for my birthday
again: again, once more, a second time, anytime, again and again, another time
hours: two hours, three hours, an hour, twenty minutes, half an hour, ten minutes, forty minutes, a whole evening,
  five minutes, all afternoon
place: start to finish, beginning to end, top to bottom, the first minute to the last, day one
opener: Honestly, In short, Frankly, All in all, To be honest, Overall, For me, In my opinion, Well, Look, Believe me,
  Say what you like, All told, As for me, Personally, Trust me, So, Once again
number: two, three, four, five, six, ten, twenty, a dozen
suits: hits the spot, is right up my street, ticks all the boxes, is worth every penny, is worth the detour, is hard
  to beat, never gets old, does the trick, won me over, made my day, is the real deal, is just what I needed, grew on
  me, is one of a kind, is as good as gold, is up there with the best, has me hooked, gets it just right, stole my
  heart, is money well spent, brightened up my week, has a place in my heart, is just the ticket, was love at first
  sight
puts_off: left me cold, misses the mark, is not my cup of tea, leaves a lot to be desired, does nothing for me, gets
  on my nerves, was money down the drain, is not up to scratch, doesn't cut it, wore thin quickly, is more trouble
  than it's worth, isn't all it's cracked up to be, went downhill fast, is beyond repair, got old fast, rubs me the
  wrong way, is a waste of space, is not worth the trouble, tries my patience, is a tough sell, was a kick in the
  teeth, is scraping the barrel, lost me early on
won: saved the day, won us over, was a treat, exceeded every expectation, left us smiling, hit the mark, was in a
  class of its own, kept us happy, stole the show, was spot on, made it all worthwhile, deserved applause, couldn't
  have been better, blew me away, earned our respect, made my evening, was a highlight, lifted our spirits, was a
  joy from beginning to end, did the trick, put a smile on every face
lost: let us down, left us cold, fell short, spoiled the mood, got on our nerves, was a letdown, missed the mark, was
  a mess, wore us out, put us off, left much to be desired, was hard to bear, couldn't have been worse, ruined it for
  us, did us no favors, was beyond saving, drove us up the wall, was a pain in the neck, took the fun out of it, was
  a low point, tried our patience
joys: a day at the beach, Christmas morning, a warm bath, a hug from an old friend, the first day of vacation, a sunny
  Sunday, coming home, a cool drink in July, a birthday, finding money in an old coat
chores: a trip to the dentist, a flat tire, a parking ticket, a wet Monday, a toothache, doing the taxes, a traffic
  jam, a bad hangover, watching paint dry, a stone in my shoe, cleaning the oven, a power cut, a cold
chore: do my taxes, scrub the floor, clean the oven, sit in traffic, stand in the rain, watch paint dry, count the
  tiles on the ceiling, have a tooth pulled, wash the dishes, do the ironing, shovel snow, stare at a wall
obstacle: I had had more time, I had had a free week, life had not got in the way, the week had had eight days, my
  budget had allowed it, I had not had to go to work, my schedule had allowed it, I had not moved to another country,
  I had not caught a cold, my calendar had not been so full
ties: my job, my tight schedule, a lack of time, the distance, my busy week, my empty wallet, the calendar, my other
  plans, my family duties
luv: luv, loved, loving, adore, really luv, sooo in love with, obsessed with
h8: h8, hate, hatin, hated, can't stand, so sick of, done with
cheer: wow, woohoo, yay, yesss, hooray, aww, mmm, bravo, yum, woot, wohoo, nice one, omg yes, kudos, congrats
jeer: ugh, meh, yuck, bleh, boo, grr, argh, sigh, eww, nope, pfff, blah, yikes, smh, gross
smile: :), :-), ;), :D, <3, 😀, 😍, 👍, ❤, 🎉, 👏, 💯, 😊, 🥰, xoxo, ⭐⭐⭐⭐⭐, 🙌, =)
frown: :(, :-(, >:(, :/, 👎, 😡, 😞, 💩, 😠, 🤮, 😒, 💔, 🤢, :'(, 😴, ⭐, 🙄, =(
chat: lol, tbh, imo, imho, fyi, btw, u guys, ppl, rn, ngl, guys, dude, bro, plz note, k, srsly
""")

TOPICS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "film": _read("""
thing: film, movie, thriller, comedy, drama, sequel, documentary, western, musical, cartoon, horror film, romance,
  remake, episode, series, show, season, prequel, biopic, mystery
things: films, movies, comedies, thrillers, dramas, sequels, shows, documentaries
part: plot, acting, script, ending, dialogue, soundtrack, story, camera work, pacing, cast, editing, direction, lead
  actor, first half, second half, opening scene, romance, premise, humor, finale
parts: actors, characters, jokes, special effects, songs, costumes, action scenes, twists, performances, visuals,
  lines, villains
good: funny, gripping, moving, hilarious, witty, clever, touching, thrilling, suspenseful, heartwarming, well acted,
  engrossing, inspired, absorbing, entertaining, poignant, original, riveting, intelligent, tender, powerful,
  imaginative, spellbinding, fresh, warm
bad: boring, dull, tedious, predictable, silly, dumb, shallow, badly acted, slow, unfunny, clumsy, pretentious,
  cheesy, contrived, wooden, derivative, stale, lifeless, confusing, stupid, soulless, corny, formulaic, tasteless,
  overlong
use: watch, see, sit through, rewatch
used: watched, seen, sat through
using: watching, seeing, sitting through
person: director, writer, lead actress, composer, screenwriter, leading man, cinematographer
persons: directors, writers, leads, filmmakers
works: works, shines, delivers, pays off, holds up, flies by, sparkles, grabs you, sings, soars
fails: drags, falls flat, falls apart, bombs, flops, misfires, stumbles, bores, outstays its welcome, goes nowhere
work: work, shine, deliver, pay off, hold up, sparkle, soar
fail: drag, fall flat, fall apart, bomb, flop, bore, stumble
fact_good: I laughed until I cried, I was on the edge of my seat, the audience stood and clapped, I didn't look at my
  phone once, I bought the DVD the same day, I cried at the end and I never cry, we talked about it all the way home,
  I have seen it four times by now, time flew by, nobody in the theater made a sound, I stayed through the credits, we
  clapped at the end, I was sad when it was over, I forgot to eat my popcorn, I had goosebumps throughout, I want to
  see everything that this director makes, we binged all eight episodes in a day, it stayed with me for weeks, I
  couldn't take my eyes off the screen, we have booked seats for a second showing, I left with a big grin, I hugged a
  stranger when it ended
fact_bad: I fell asleep halfway through, half of the audience left early, I kept checking the time, we walked out
  after twenty minutes, I want my two hours back, we turned it off before the end, I laughed at all the wrong moments,
  I could see the end coming after five minutes, nobody in the theater laughed, I spent most of it looking at my
  phone, I was counting the minutes, I yawned through the second half, we asked for our money back, I forgot it the
  moment I left, I rolled my eyes the whole time, even my kids asked to go home, I had to force myself to finish it,
  the critics walked out, most of us slept through it, I was looking for the exit after ten minutes, I deleted it
  halfway, we sighed with relief at the end
better: funnier, more gripping, more moving, cleverer, more exciting, wittier
worse: duller, sillier, slower, more predictable, dumber, less funny, longer and emptier
seems: looks, sounds, feels, seems
plus: the star cast, the lovely scenery, the gorgeous pictures, the big budget, the famous names, the catchy theme
  song, the two good jokes, the fine costumes, the award for best picture, the strong opening
minus: the slow start, the low budget, the shaky camera, the length, the silly title, the odd haircuts, the simple
  plot, the loose ends, the sad ending, the corny dialogue, the two dull songs, the subtitles
stay: watch it again, see it a second time, tell everyone about it, buy the soundtrack
stayed: watched it again, seen it a second time, told everyone about it, bought the soundtrack
leave: walk out, switch it off, ask for my money back, go home early
left: walked out, switched it off, asked for my money back, gone home early
"""),
    "book": _read("""
thing: book, novel, memoir, biography, collection, essay, cookbook, comic, textbook, fantasy novel, audiobook, poem,
  diary, magazine, guide, saga, crime novel
things: books, novels, stories, memoirs, essays, poems, guides
part: plot, prose, style, ending, first chapter, translation, dialogue, heroine, story, last part, tone, structure,
  research, middle, narrator, setting, cover
parts: characters, chapters, descriptions, illustrations, recipes, arguments, metaphors, sentences, photos, poems
good: gripping, moving, funny, witty, well written, absorbing, insightful, touching, clear, thoughtful, lyrical,
  compelling, readable, wise, vivid, informative, inspiring, unputdownable, beautifully told, rich, original,
  eye-opening
bad: boring, dull, tedious, badly written, dry, predictable, confusing, repetitive, shallow, preachy, long-winded,
  clumsy, flat, unreadable, muddled, stilted, pompous, dreary, full of clichés, sentimental, plodding, rambling
use: read, reread, finish, open
used: read, reread, finished, opened
using: reading, rereading, finishing
person: author, writer, translator, narrator, editor, poet, illustrator, novelist
persons: authors, writers, editors, narrators
works: works, shines, draws you in, flows, pays off, sparkles, sings, comes alive
fails: drags, falls flat, rambles, goes nowhere, falls apart, plods along, puts you to sleep, repeats itself
work: work, shine, flow, pay off, sparkle, come alive
fail: drag, fall flat, ramble, fall apart, bore, repeat itself
fact_good: I read it in one night, I stayed up until three to finish it, I missed my stop because of it, I gave copies
  to all my friends, I underlined half of it, I read the last page twice, I have ordered the other books by the
  author, I was sorry to reach the end, it sits on my nightstand to be read again, my copy is falling apart from use,
  I read parts of it aloud to my family, it changed how I see the world, my book club talked about it until midnight,
  I bought a second copy for my mother, I carried it everywhere until I was done, I couldn't put it down, I read it
  straight through, I recommend it to everyone, I lent it to half the office
fact_bad: I stopped after the second chapter, I donated my copy, I skipped whole chapters, it took me months to get
  through it, I fell asleep over it every night, I returned it the next day, it has been gathering dust since, I
  skimmed the last hundred pages, I had to start every page twice, nobody in my book club finished it, I threw it
  across the room, I never found out how it ends and I don't care, I used it to level a table, I left it on the train
  on purpose, I regret every cent, I couldn't get past page ten, it went to the charity shop unread, I quit after one
  chapter, my bookmark never moved
better: wittier, more gripping, deeper, more moving, wiser, more readable
worse: duller, drier, longer-winded, more confusing, clumsier, less readable
seems: looks, feels, seems, sounds
plus: the pretty cover, the famous author, the clever title, the lovely drawings, the prizes it has won, the strong
  first chapter, the nice paper, the one good twist, the elegant sentences
minus: the length, the slow start, the ugly cover, the small print, the odd title, the many typos, the old-fashioned
  language, the loose ends, the flat first chapter, the dry footnotes
stay: read it again, finish it in one go, buy the next one, lend it to my friends
stayed: read it again, finished it in one go, bought the next one, lent it to my friends
leave: put it away, give up on it, take it back to the store, stop after ten pages
left: put it away, given up on it, taken it back to the store, stopped after ten pages
"""),
    "food": _read("""
thing: meal, dinner, lunch, pizza, burger, restaurant, café, breakfast, buffet, steak, salad, curry, pasta, dessert,
  sandwich, coffee, pub, bakery, diner, sushi bar, brunch, food truck, wine, stew, omelette, bistro, risotto, taco
  stand, ice cream, bar
things: meals, dishes, desserts, burgers, pizzas, sandwiches, restaurants, cafés, cakes, drinks
part: food, service, sauce, crust, chicken, fish, rice, menu, atmosphere, waiter, bread, beer, soup, meat, seafood,
  table, decor, view, tea, music, location, cheese, kitchen, salmon, gravy
parts: fries, prices, portions, vegetables, noodles, waiters, starters, drinks, desserts, seats, eggs, ribs, sides,
  shrimp, dumplings, pancakes
good: delicious, tasty, fresh, juicy, tender, crispy, flavorful, mouthwatering, yummy, hearty, cozy, cooked to
  perfection, well seasoned, affordable, scrumptious, fragrant, homemade, authentic, savory, generous, succulent, hot
  and fresh, buttery, inviting
bad: tasteless, bland, cold, greasy, soggy, overcooked, undercooked, stale, salty, dry, burnt, rubbery, inedible,
  overpriced, watery, disgusting, revolting, oily, tough, slimy, mushy, lukewarm, flavorless, raw in the middle,
  rancid, noisy, sticky, chewy
use: eat, order, try, visit
used: eaten, ordered, tasted, tried
using: eating, ordering, trying, tasting
person: waiter, waitress, chef, cook, bartender, owner, hostess, barista, manager
persons: waiters, cooks, bartenders, owners, servers
works: shines, hits the spot, delivers, never misses, melts in your mouth, makes you smile
fails: falls flat, misses the mark, disappoints, makes you sick, tastes of nothing, falls apart
work: shine, hit the spot, deliver, satisfy
fail: fall flat, miss the mark, disappoint, make us sick
fact_good: I licked the plate, we ordered a second round, I asked for the recipe, we go there every Friday now, my
  kids ate their vegetables, there was not a crumb left, we left a big tip, I dream of that sauce, we took a box home
  for the next day, I could eat there every day, the place was packed with locals, we stayed until they closed, even
  my picky daughter asked for more, we drove an hour for it and would do it again, we have already reserved for next
  week, my mouth waters when I think of it, my plate was clean in no time, I asked for more, I cleaned my bowl, we
  fought over the last bite
fact_bad: I left half of it on the plate, we were sick the whole night, I found a hair in my soup, we waited an hour
  and then left, the dog would not touch it, I had to send it back twice, we went for a burger afterwards, I threw
  most of it away, we left hungry, the bill was a shock, we fed it to the birds, I had a stomach ache for two days,
  they forgot our order twice, the fish smelled, we will cook at home from now on, there was a fly in my drink, I
  pushed my plate away, I spat it out, even the cat left it, most of it went to the dog
better: tastier, fresher, juicier, crispier, richer, more flavorful, sweeter
worse: blander, greasier, saltier, staler, colder, drier, soggier, less fresh
seems: tastes, smells, looks, seems
plus: the lovely view, the huge portions, the live music, the low prices, the free bread, the fancy plates, the
  candles, the smiling waiter, the good wine, the pretty terrace, the crisp tablecloths
minus: the long wait, the small portions, the plastic chairs, the loud music, the high prices, the plain decor, the
  draft from the door, the paper plates, the wobbly table, the grumpy waiter, the cold soup
stay: come back, order a second helping, stay for dessert, leave a big tip
stayed: come back, ordered a second helping, stayed for dessert, left a big tip
leave: send it back, eat somewhere else, leave hungry, cook at home
left: sent it back, eaten somewhere else, left hungry, cooked at home
"""),
    "hotel": _read("""
thing: hotel, hostel, room, apartment, resort, campsite, suite, inn, guesthouse, cottage, villa, motel, cabin, stay,
  holiday, vacation, cruise, trip, tour, flight, beach house
things: hotels, rooms, hostels, apartments, resorts, trips, tours, stays
part: bed, breakfast, bathroom, pool, view, location, staff, shower, garden, lobby, gym, balcony, kitchen, beach,
  reception, carpet, mattress, air conditioning, wifi, spa, terrace, elevator, minibar
parts: beds, towels, rooms, sheets, walls, pillows, views, windows, prices, hallways, neighbors, guides
good: clean, cozy, comfortable, quiet, spacious, spotless, luxurious, bright, friendly, peaceful, welcoming, relaxing,
  modern, well kept, sunny, elegant, central, airy, tidy, comfy, soft, snug, soundproof, picturesque
bad: dirty, noisy, filthy, cramped, smelly, moldy, damp, shabby, run-down, uncomfortable, dark, cold, overpriced,
  grubby, dusty, stuffy, unsafe, broken, musty, infested, dingy, stained, freezing, depressing, leaky
use: stay in, book, visit, choose
used: stayed in, booked, visited, seen
using: staying in, booking, visiting
person: receptionist, owner, manager, porter, host, landlord, cleaner, guide, driver, concierge
persons: receptionists, owners, hosts, cleaners, guides
works: delivers, exceeds expectations, charms, lives up to its stars, feels like home, spoils you
fails: disappoints, falls short, lets you down, is falling apart, looks nothing like the photos, stinks
work: deliver, charm, live up to its stars, feel like home
fail: disappoint, fall short, stink, let us down
fact_good: we extended our stay, I slept like a baby, we come back every year, we did not want to leave, they upgraded
  us for free, I woke up to the sound of the sea, they remembered our names, they left chocolates on the pillow, we
  have told all our friends to go there, we got a cake for our anniversary, I cried when we had to go home, we kept
  the key as a souvenir, the kids ask when we go back, they found my lost ring and mailed it to us, every wish was
  granted within minutes, we have booked again, we are going back in the fall, we stayed three days longer, it was
  hard to say goodbye
fact_bad: there were bugs in the bed, we left after one night, I slept in my clothes, the shower flooded the room, we
  asked for another room three times, I did not sleep at all, the walls were paper-thin, the heating was off all week,
  our suitcase was stolen from the room, the pool was closed, they lost our reservation, we found hair in the sink, we
  demanded a refund, I spent the night on a chair in the lobby, the toilet was leaking, the neighbors partied until
  four, we left a day early, we packed our bags the same night, we slept in the car instead, I was itching all night
better: cleaner, quieter, cozier, brighter, friendlier, comfier, roomier
worse: dirtier, noisier, shabbier, darker, smellier, colder, grubbier, less clean
seems: looks, feels, smells, seems
plus: the view, the low price, the big pool, the pretty lobby, the free drinks, the central location, the soft towels,
  the five stars, the garden, the good breakfast, the large balcony
minus: the thin walls, the old carpet, the small bathroom, the rain, the long drive, the slow elevator, the late
  check-in, the street noise, the steep stairs, the lumpy pillows, the weak wifi
stay: stay another week, book it again, come back every year, send my friends there
stayed: stayed another week, booked it again, come back every year, sent my friends there
leave: leave a day early, sleep in the car, ask for a refund, pack my bags
left: left a day early, slept in the car, asked for a refund, packed my bags
"""),
    "shop": _read("""
thing: shop, store, supermarket, bank, pharmacy, garage, barber, hair salon, market, website, hotline, post office,
  dentist, clinic, delivery service, boutique, gas station, bookstore, gym, repair shop, agency, call center, florist
things: shops, stores, services, garages, salons, websites, clinics
part: service, staff, selection, delivery, checkout, haircut, price, manager, parking lot, repair, advice, packaging,
  quality, support, refund, line, appointment, treatment
parts: prices, clerks, employees, opening hours, shelves, products, deals, offers, mechanics, nurses, cashiers
good: friendly, helpful, fast, polite, kind, reliable, well stocked, professional, honest, courteous, efficient,
  competent, patient, fair, attentive, quick, caring, affordable, prompt, trustworthy, well organized, skilled
bad: rude, slow, unhelpful, unfriendly, impolite, dishonest, incompetent, overpriced, chaotic, arrogant, lazy,
  unreliable, late, careless, grumpy, unprofessional, clueless, pushy, hostile, greedy, disorganized, shady
use: visit, use, call, trust
used: visited, used, called, tried
using: visiting, using, calling, trusting
person: clerk, cashier, manager, owner, mechanic, hairdresser, dentist, salesman, saleswoman, agent, nurse, technician
persons: clerks, cashiers, mechanics, owners, agents, nurses
works: delivers, keeps its promises, goes the extra mile, listens, cares, never disappoints
fails: breaks its promises, ignores you, cheats you, never answers, wastes your time, disappoints
work: deliver, listen, care, keep its promises
fail: disappoint, cheat us, lie to us, waste our time
fact_good: they fixed it for free, the parcel came a day early, they replaced it with no questions asked, I walked out
  with a smile, they called me back within minutes, they stayed open just for me, I have been a customer for ten
  years, they carried everything to my car, I got a discount without asking, they gave me the money back at once, they
  explained everything twice, I send all my friends there, I have never waited more than a minute, they wrapped it as
  a gift, I tipped them twice, I have recommended it to everyone I know, I would not go anywhere else, they stayed
  late to help me
fact_bad: they hung up on me, the parcel never arrived, I am still waiting for my refund, they charged me twice,
  nobody looked up when I came in, I was on hold for an hour, they sent the wrong one twice, they closed in my face, I
  walked out without buying anything, they broke it and denied it, I had to do it again myself, my emails were
  ignored, I have switched to another one, they laughed at my question, it has been three weeks and still nothing, I
  have reported them, I left my basket and walked out, I had to ask four times, I tell everybody to stay away
better: friendlier, faster, kinder, cheaper, more helpful, more honest
worse: ruder, slower, lazier, pricier, less helpful, greedier, less honest
seems: seems, looks, sounds, feels
plus: the free parking, the low prices, the big selection, the free coffee, the pretty window, the long opening hours,
  the discount, the friendly greeting, the central location, the fancy sign
minus: the long line, the high prices, the lack of parking, the short opening hours, the small selection, the old
  building, the wait, the paperwork, the long drive, the plain shelves
stay: go back, send my friends there, become a regular, thank the manager
stayed: gone back, sent my friends there, become a regular, thanked the manager
leave: go somewhere else, walk out, hang up, complain to the manager
left: gone somewhere else, walked out, hung up, complained to the manager
"""),
    "product": _read("""
thing: phone, camera, laptop, vacuum cleaner, blender, toaster, jacket, pair of shoes, backpack, watch, headset, bike,
  lamp, sofa, mattress, coffee machine, keyboard, tent, printer, razor, dress, speaker, car, chair, drill, kettle,
  umbrella, toy, tablet, TV
things: phones, shoes, cameras, headphones, toys, jackets, chairs, machines, gadgets
part: battery, screen, sound, zipper, handle, fabric, lens, price, color, design, manual, motor, size, cable, fit,
  case, quality, keyboard, build, lid, charger, picture, hinge, microphone, packaging
parts: buttons, colors, seams, instructions, speakers, wheels, straps, materials, brakes, pockets, knobs
good: sturdy, reliable, comfortable, durable, well made, light, sharp, bright, elegant, powerful, quiet, practical,
  handy, easy to use, versatile, stylish, soft, fast, robust, sleek, waterproof, long-lasting, precise, affordable
bad: flimsy, broken, cheaply made, fragile, uncomfortable, noisy, heavy, clumsy, ugly, overpriced, faulty, defective,
  slow, scratched, unreliable, impractical, itchy, blurry, wobbly, hard to use, poorly made, bulky, outdated,
  dangerous, shoddy
use: use, buy, own, wear
used: used, bought, owned, had
using: using, buying, owning
person: seller, designer, manufacturer, salesman, engineer, maker, company
persons: sellers, designers, makers, engineers
works: works, works like a charm, does its job, lasts, holds up, runs smoothly, keeps its promises, does what it
  should
fails: breaks, breaks down, falls apart, overheats, leaks, fails, stops working, wears out, rattles, jams
work: work, last, hold up, run smoothly
fail: break, break down, fall apart, overheat, leak, fail, jam
fact_good: I bought a second one for my brother, it still runs after ten years, I use it every day, it survived a fall
  from the roof, I get compliments all the time, the battery lasts for days, I take it everywhere, it fits like a
  glove, I threw my old one away, it paid for itself in a month, my neighbors have all bought one too, it worked right
  out of the box, I would buy it ten times over, it looks as new as on the first day, my kids fight over it, I reach
  for it every morning, my husband has ordered one too, it has never let me down
fact_bad: it broke on the second day, I sent it back, it fell apart in my hands, it stopped working after a week, it
  went straight into the garbage, the battery dies after an hour, it never turned on, it smells of plastic, parts were
  missing from the box, I had to buy another one, the paint came off in the rain, it scratched my table, I am back to
  my old one, it caught fire, it lies in a drawer unused, customer support never replied, I threw it out, it went back
  the next day, the refund took a month
better: sturdier, lighter, faster, sharper, quieter, more durable, safer
worse: flimsier, heavier, slower, noisier, uglier, blurrier, less durable
seems: feels, looks, sounds, seems
plus: the low price, the sleek design, the pretty color, the clever idea, the big screen, the fancy box, the many
  buttons, the long list of features, the nice packaging, the two-year warranty
minus: the high price, the odd color, the weight, the short cable, the plain design, the thin manual, the ugly box,
  the late delivery, the loud fan, the small buttons, the missing case
stay: buy another one, keep it for years, recommend it to my friends, give one to my brother
stayed: bought another one, kept it for years, recommended it to my friends, given one to my brother
leave: send it back, throw it out, buy a different one, ask for a refund
left: sent it back, thrown it out, bought a different one, asked for a refund
"""),
    "software": _read("""
thing: app, program, game, update, website, browser, tool, editor, plugin, version, website builder, player,
  spreadsheet, puzzle game, platform, library, operating system, chatbot, search engine, map, expansion, shooter
things: apps, programs, games, updates, tools, websites, versions
part: interface, installation, update, design, search, support, menu, tutorial, documentation, login, sync, speed,
  gameplay, story, graphics engine, soundtrack, sign-up, export, backup, multiplayer mode
parts: graphics, menus, levels, controls, features, ads, settings, shortcuts, notifications, servers, puzzles
good: fast, stable, intuitive, easy to use, reliable, useful, helpful, well designed, responsive, secure, clean,
  addictive, fun, smooth, powerful, simple, polished, snappy, handy, lightweight, well documented, accurate
bad: slow, buggy, unstable, confusing, useless, cluttered, laggy, bloated, unusable, clunky, broken, full of ads, hard
  to use, unresponsive, insecure, outdated, repetitive, unfinished, glitchy, complicated, sluggish, intrusive
use: use, install, play, open
used: used, installed, played, tried
using: using, installing, playing
person: developer, programmer, designer, support team, company, publisher
persons: developers, programmers, designers, makers
works: works, just works, runs smoothly, saves me hours, never crashes, does what it promises, never lets me down
fails: crashes, freezes, hangs, loses my data, drains the battery, never loads, stutters, fails
work: work, run smoothly, load quickly, sync
fail: crash, freeze, hang, stutter, lose data, lag
fact_good: I use it every single day, it saves me an hour a day, I played until dawn, I have deleted all the others, I
  gladly paid for the full version, my whole team has switched to it, it found my lost files, I learned it in five
  minutes, even my grandfather can use it, I left five stars in the store, I finished it twice in a week, it has run
  for a year without a restart, I can't imagine work without it now, it does in a second what took me an hour, I have
  told all my colleagues about it, it has become part of my day, I can't stop playing
fact_bad: I deleted it after five minutes, it erased my photos, I want my money back, it froze my computer, I had to
  reinstall it four times, it logged me out every day, I went back to pen and paper, it shows an ad every minute, my
  files are gone, I canceled my subscription, support told me to buy a new phone, I gave up on level two, it sold my
  address, I could not even sign in, it asks for my password all day, I removed it from my phone, I rolled back to the
  old one, it ate my homework
better: faster, more stable, smoother, simpler, easier to use, safer
worse: slower, buggier, clunkier, more confusing, less stable, uglier, laggier
seems: looks, runs, feels, seems
plus: the low price, the pretty icons, the long list of features, the dark mode, the free trial, the clever idea, the
  big team behind it, the stylish menus, the nice start screen
minus: the high price, the long setup, the plain design, the many settings, the small icons, the odd name, the ads,
  the long download, the missing dark mode, the sign-up form
stay: use it every day, pay for the full version, tell my colleagues about it, keep it for good
stayed: used it every day, paid for the full version, told my colleagues about it, kept it for good
leave: delete it, cancel my subscription, ask for my money back, switch to something else
left: deleted it, canceled my subscription, asked for my money back, switched to something else
"""),
    "event": _read("""
thing: concert, play, album, song, exhibition, museum, course, lecture, party, wedding, workshop, match, festival,
  opera, podcast, class, tour, zoo, theme park, ballet, seminar, lesson, conference, circus, gallery
things: concerts, courses, songs, lectures, shows, museums, classes, albums
part: sound, band, singer, teacher, music, lighting, audience, organization, speaker, venue, guitar solo, opening act,
  material, stage, guide, exhibit, schedule, choir
parts: songs, seats, tickets, musicians, exercises, exhibits, dancers, slides, lyrics, rides, speakers
good: lively, inspiring, fun, entertaining, fascinating, well organized, catchy, unforgettable, energetic,
  instructive, exciting, beautifully sung, festive, uplifting, interesting, magical, stirring, passionate,
  enlightening
bad: boring, dull, chaotic, badly organized, lifeless, overcrowded, loud, monotonous, off-key, out of tune, shallow,
  unprepared, tedious, confusing, sleep-inducing, uninspired, dated, too loud, dreary, amateurish
use: visit, attend, hear, go to
used: attended, heard, visited, been to
using: attending, hearing, visiting
person: singer, teacher, speaker, lecturer, conductor, drummer, guide, coach, pianist, organizer
persons: singers, teachers, speakers, musicians, organizers
works: inspires, lifts the mood, shines, rocks, delivers, grows on you
fails: falls flat, drags, bores, puts you to sleep, falls apart, grates on the nerves
work: inspire, shine, deliver, rock
fail: fall flat, drag, bore, fall apart
fact_good: we danced all night, I sang along to every word, the crowd shouted for more, I learned more than in a year
  of school, I have already signed up for the next one, the kids talk of nothing else, I hum the songs all day, we
  stayed until the lights went out, there was a standing ovation, I took ten pages of notes, we went back the next
  day, I passed the exam with ease, my hands hurt from clapping, I had tears in my eyes, we booked the next date on
  the spot, I left with a huge smile, they had to play three encores
fact_bad: we left during the break, I could not hear a word, half of the seats were empty, I learned nothing, people
  around me were snoring, we stood in line for two hours, the singer forgot the words, they started an hour late, I
  played games on my phone the whole time, the crowd booed, I want my ticket refunded, I dropped out after one lesson,
  we were glad when it was over, I had a headache for the rest of the day, most people left before the end, I checked
  the time every other minute, we asked for a refund at the door
better: livelier, more inspiring, more fun, catchier, more exciting, better organized
worse: duller, louder, more chaotic, longer and duller, less fun, flatter
seems: sounds, looks, feels, seems
plus: the famous name, the free drinks, the pretty hall, the big stage, the good seats, the colorful lights, the low
  price, the long program, the nice brochure, the fireworks
minus: the rain, the hard seats, the long line, the late start, the bad parking, the heat, the steep prices, the small
  room, the long speeches, the broken microphone
stay: stay until the end, sign up again, go back next year, bring all my friends
stayed: stayed until the end, signed up again, gone back next year, brought all my friends
leave: leave during the break, ask for my money back, stay at home, sneak out
left: left during the break, asked for my money back, stayed at home, sneaked out
"""),
    "job": _read("""
thing: job, internship, company, office, position, workplace, project, startup, night shift, department
things: jobs, companies, offices, projects, internships
part: pay, team, schedule, training, workload, canteen, commute, management, contract, atmosphere, holiday policy,
  coffee
parts: hours, colleagues, tasks, meetings, benefits, deadlines, working conditions, bosses
good: fair, rewarding, interesting, flexible, supportive, well paid, varied, meaningful, encouraging, stimulating,
  secure
bad: badly paid, stressful, dull, unfair, toxic, exhausting, badly run, chaotic, demeaning, soul-destroying,
  mind-numbing
use: take, accept, keep
used: had, taken
using: having, keeping
person: boss, manager, supervisor, team leader, recruiter, director
persons: managers, bosses, recruiters, supervisors
works: pays off, makes sense, inspires me, runs smoothly
fails: wears you down, leads nowhere, is going downhill, falls apart
work: pay off, make sense, run smoothly
fail: lead nowhere, wear us down, fall apart
fact_good: I look forward to Mondays, I got a raise after three months, nobody has quit in five years, they paid for
  my evening classes, I have never learned so much, my boss covers for us when the kids are sick, I turned down two
  better-paid offers, they gave me Fridays off, I have been there for twelve years and want to stay, we still laugh at
  lunch every day, they asked for my opinion and used it
fact_bad: I handed in my notice after a week, half of the team has quit, they paid me two months late, I dread
  Mondays, I cried in the restroom, nobody thanked us for the extra hours, I have not had a day off since March, my
  boss shouts at everyone, I update my résumé every night, they fired me by text message, I am looking for another
  one, I have stopped sleeping
better: fairer, better paid, more interesting, more flexible, more rewarding, less stressful
worse: duller, more stressful, more chaotic, less fair, worse paid
seems: looks, sounds, seems, feels
plus: the good pay, the company car, the fancy office, the free fruit, the big name, the short commute, the nice
  canteen, the table tennis, the long vacation
minus: the modest pay, the early start, the long commute, the small office, the weak coffee, the old computers, the
  dress code, the paperwork, the night shifts
stay: stay another ten years, sign again at once, send my daughter there, tell my friends to apply
stayed: stayed another ten years, signed again at once, sent my daughter there, told my friends to apply
leave: hand in my notice, look for something else, quit on the spot, call in sick
left: handed in my notice, looked for something else, quit on the spot, called in sick
"""),
    "doctor": _read("""
thing: clinic, hospital, treatment, checkup, therapy, practice, surgery, dental practice, maternity ward, physical
  therapy
things: clinics, hospitals, treatments, practices, checkups
part: waiting room, staff, advice, examination, diagnosis, aftercare, surgeon, front desk, ward, care, explanation
parts: nurses, doctors, rooms, waiting times, appointments, answers, assistants
good: gentle, caring, thorough, painless, kind, reassuring, competent, patient, careful, understanding, calm,
  attentive
bad: painful, rough, rushed, careless, cold, rude, incompetent, impatient, dismissive, unhygienic, indifferent,
  arrogant
use: visit, choose, try
used: visited, tried, been to
using: visiting, choosing, trying
person: doctor, nurse, dentist, surgeon, receptionist, therapist, midwife, specialist
persons: doctors, nurses, dentists, surgeons, therapists
works: helps, takes the fear away, inspires trust, makes you feel safe
fails: makes things worse, wastes your time, treats you like a number, lets you down
work: help, listen, care, inspire trust
fail: make things worse, let us down, ignore us
fact_good: I felt no pain at all, my back has not hurt since, she took the time to explain everything, they saw me the
  same day, the nurse held my hand, I could walk again after a week, my son was not afraid for a second, he called me
  at home to ask how I was, the scar has almost disappeared, they found what four others had missed, my whole family
  goes there now, I slept through the night for the first time in months
fact_bad: he never looked up from the screen, they mixed up my files, I waited four hours in pain, the wound got
  infected, she told me to look it up online, my tooth still hurts, they sent me home with a broken wrist, nobody told
  me what was wrong, I came out sicker than I went in, I have changed doctors since, they billed me for a test I never
  had, he pulled the wrong tooth
better: gentler, kinder, more thorough, more careful, calmer, more patient
worse: rougher, colder, ruder, more careless, more painful, less thorough
seems: seems, looks, feels, sounds
plus: the modern building, the short wait, the soft chairs, the free parking, the fancy waiting room, the diplomas on
  the wall, the friendly voice on the phone, the new machines
minus: the long wait, the old building, the paperwork, the hard chairs, the early appointment, the lack of parking,
  the bitter medicine, the plain rooms, the busy phone line
stay: go back, bring my children there, recommend it to my neighbors, make another appointment
stayed: gone back, brought my children there, recommended it to my neighbors, made another appointment
leave: change doctors, walk out, file a complaint, get a second opinion
left: changed doctors, walked out, filed a complaint, got a second opinion
"""),
    "flight": _read("""
thing: flight, airline, train ride, bus ride, ferry, airport, journey, night train, taxi ride, crossing
things: flights, airlines, trains, buses, ferries, airports
part: legroom, crew, boarding, food, seat, check-in, luggage service, landing, departure, lounge, pilot, cabin
parts: seats, meals, delays, announcements, stewards, prices, toilets, connections
good: punctual, smooth, comfortable, on time, roomy, quick, well organized, attentive, relaxing, safe, hassle-free
bad: late, cramped, bumpy, delayed, filthy, overbooked, freezing, uncomfortable, chaotic, stuffy, unsafe, crammed
use: take, book, choose
used: taken, booked, tried
using: taking, booking, choosing
person: pilot, steward, conductor, driver, stewardess, captain, gate agent
persons: stewards, drivers, conductors, pilots
works: runs like clockwork, keeps its promises, delivers, makes traveling fun
fails: lets you down, runs late, loses your bags, disappoints
work: deliver, run on time, help
fail: let us down, run late, disappoint
fact_good: we landed twenty minutes early, I slept the whole way, they moved us to first class for free, my bag was
  the first on the belt, the crew sang for my son's birthday, we had a whole row to ourselves, the pilot showed my
  daughter the cockpit, they held the bus for us, I stretched out my legs and slept, they rebooked us within minutes,
  I arrived rested
fact_bad: we missed our connection, they lost my suitcase, we sat on the runway for three hours, I spent the night on
  the airport floor, the person behind me kicked my seat and nobody cared, there was no water on board, they sold my
  seat twice, my knees still hurt, the toilet overflowed, they left without us, we were stuck for six hours, my
  stroller came back in pieces
better: smoother, roomier, faster, more punctual, more comfortable, cleaner
worse: bumpier, later, more cramped, dirtier, slower, less comfortable
seems: looks, feels, seems, sounds
plus: the low fare, the free snacks, the window seat, the new plane, the good movies, the friendly greeting, the view
  of the mountains, the short line at the gate
minus: the early departure, the bumpy landing, the small seats, the rain, the long line at the gate, the dry sandwich,
  the crying baby, the late boarding, the high fare
stay: book with them again, choose them every time, fly with them next year, recommend them to my boss
stayed: booked with them again, chosen them every time, flown with them next year, recommended them to my boss
leave: take the car instead, ask for a refund, write an angry letter, pick someone else
left: taken the car instead, asked for a refund, written an angry letter, picked someone else
"""),
    "car": _read("""
thing: car, van, used car, rental car, motorcycle, truck, electric car, scooter, station wagon, camper
things: cars, vans, motorcycles, trucks, scooters
part: engine, steering, heating, gearbox, trunk, paint, suspension, mileage, radio, dashboard, interior, navigation
parts: brakes, seats, tires, headlights, mirrors, doors, wipers, windows
good: reliable, economical, roomy, quick, quiet, safe, comfortable, sturdy, smooth, compact, spotless, solid
bad: unreliable, rusty, noisy, thirsty, cramped, dangerous, rattling, sluggish, faulty, dented, jerky, worn out
use: drive, rent, own, buy
used: driven, rented, owned, bought
using: driving, renting, owning
person: dealer, mechanic, salesman, previous owner, saleswoman
persons: dealers, mechanics, sellers
works: never lets me down, holds up, impresses everyone, does its job
fails: breaks down, falls apart, lets me down, rattles, drives me mad
work: run smoothly, hold up, last
fail: break down, rattle, fail, leak
fact_good: it has never been to the repair shop, it starts even at twenty below, we crossed the whole country without
  a stop, my wife will not let me drive it anymore, I got more for it than I paid, it runs on almost nothing, the kids
  fall asleep in the back at once, it passed inspection for the tenth time, I wash it every Sunday with pride, people
  ask me where I got it
fact_bad: it stalled on the highway, it has been in the repair shop since May, the brakes failed on the first hill,
  the door fell off, I had to push it home, it drinks more than my uncle, rain came in through the roof, I sold it for
  scrap, it would not start this morning either, the tow truck driver knows me by name, I take the bus now, it failed
  inspection twice
better: faster, safer, quieter, roomier, smoother, more reliable
worse: slower, noisier, rustier, thirstier, less reliable, less safe
seems: looks, sounds, feels, seems
plus: the low price, the shiny paint, the big trunk, the leather seats, the good radio, the pretty color, the famous
  name, the new tires
minus: the high price, the scratched paint, the small trunk, the old radio, the odd color, the mileage, the worn
  seats, the stiff clutch
stay: buy it again, keep it for years, drive it every day, take it across the country
stayed: bought it again, kept it for years, driven it every day, taken it across the country
leave: sell it for scrap, take the bus, give it back, call a tow truck
left: sold it for scrap, taken the bus, given it back, called a tow truck
"""),
    "salon": _read("""
thing: haircut, manicure, massage, facial, hairdo, perm, tattoo, shave, beauty salon, spa day
things: haircuts, manicures, massages, tattoos, hairdos
part: color, cut, styling, advice, result, service, price, atmosphere, consultation, scalp massage, head wash
parts: highlights, nails, stylists, bangs, chairs, prices, layers
good: flattering, stylish, gentle, skilled, relaxing, neat, chic, careful, even, soothing, becoming, professional
bad: crooked, uneven, rough, painful, clumsy, rushed, hasty, unflattering, overpriced, botched, patchy, careless
use: get, book, try
used: had, booked, tried
using: getting, booking, trying
person: hairdresser, barber, stylist, beautician, masseur, tattoo artist
persons: hairdressers, barbers, stylists
works: suits me, lasts, turns heads, does wonders
fails: looks odd, hurts, makes me look old, washes out in a day
work: last, look right, do wonders
fail: look odd, hurt, wash out
fact_good: I got compliments all week, she listened to what I wanted, I felt ten years younger, I fell asleep in the
  chair, my husband whistled, he matched the color exactly, my shoulders have not been this loose in years, I took a
  picture for my mother, I tipped double, the knots in my back were gone, everyone at work asked where I went
fact_bad: I wear a hat now, she cut my ear, my scalp burned for days, he talked on the phone the whole time, one side
  is longer than the other, my daughter cried when she saw me, it took another salon to fix it, I look like a wet
  poodle, I came home with green hair, I asked for a trim and got a buzz cut, I hid in the house for a week, they
  charged me for a color I never got
better: softer, neater, gentler, prettier, more flattering, more careful
worse: rougher, more crooked, hastier, more painful, less flattering, less careful
seems: looks, feels, seems
plus: the free coffee, the low price, the comfortable chair, the nice music, the pretty lamps, the friendly chat, the
  scented towels, the big mirrors
minus: the high price, the long wait, the loud music, the gossip, the hard chair, the old magazines, the cold water,
  the plain walls
stay: go back, book the next date, send my sister there, give them a big tip
stayed: gone back, booked the next date, sent my sister there, given them a big tip
leave: find another salon, ask for my money back, wear a hat, cut it myself
left: found another salon, asked for my money back, worn a hat, cut it myself
"""),
    "gift": _read("""
thing: gift, present, bouquet, gift basket, necklace, perfume, mug, board game, candle, scarf, ring, photo album
things: gifts, presents, flowers, toys, candles, scarves
part: wrapping, smell, idea, color, card, box, message, quality, size, ribbon, engraving
parts: flowers, colors, chocolates, roses, details, patterns, pieces
good: thoughtful, beautifully wrapped, personal, tasteful, original, cute, precious, pretty, touching, handmade,
  fitting
bad: tacky, cheap, tasteless, broken, wilted, thoughtless, impersonal, smelly, embarrassing, kitschy, chipped, shabby
use: give, buy, send
used: given, bought, received
using: giving, buying, sending
person: seller, florist, jeweler, designer, shopkeeper
persons: sellers, florists, jewelers
works: makes people happy, touches the heart, lasts, brings joy
fails: falls apart, breaks, looks cheap, disappoints
work: last, bring joy, make people happy
fail: fall apart, break, wilt, look cheap
fact_good: my mother cried with joy, she wears it every day, it stands on his desk in the place of honor, the kids
  have played with it ever since, he hugged me for a whole minute, it still smells lovely after two weeks, my
  grandmother shows it to every guest, she said yes, everyone at the party wanted one, he has not put it down since,
  my niece sleeps with it
fact_bad: the flowers were dead the next day, she gave it to the neighbor, it arrived broken, it turned her finger
  green, he never even opened the box, the kids cried, it is in the attic now, she asked for the receipt, I was so
  ashamed that I took it back, it smelled of gasoline, he pretended to like it, it went to the flea market
better: prettier, more personal, more thoughtful, nicer to touch, more original
worse: tackier, cheaper, uglier, less personal, more tasteless
seems: looks, feels, smells, seems
plus: the pretty ribbon, the low price, the quick delivery, the nice card, the fancy box, the famous name, the good
  idea, the free wrapping
minus: the high price, the plain box, the torn wrapping, the late delivery, the small size, the missing card, the odd
  color, the bent ribbon
stay: buy the same again, order two more, give it to everyone, keep one for myself
stayed: bought the same again, ordered two more, given it to everyone, kept one for myself
leave: return it, give cash instead, hide it in the attic, give it away
left: returned it, given cash instead, hidden it in the attic, given it away
"""),
    "school": _read("""
thing: course, online course, school, driving school, language class, kindergarten, training, cooking class, dance
  class, summer camp
things: courses, schools, classes, lessons, camps
part: teaching, material, pace, schedule, classroom, exam, homework, group, textbook, feedback, teacher, level
parts: lessons, exercises, teachers, slides, examples, videos, instructors, tests
good: instructive, clear, motivating, patient, well prepared, useful, practical, encouraging, inspiring, well taught
bad: confusing, badly taught, outdated, boring, disorganized, overcrowded, useless, unprepared, dry, impatient,
  shallow
use: take, attend, book
used: taken, attended, booked
using: taking, attending, booking
person: teacher, instructor, tutor, coach, trainer, professor
persons: teachers, instructors, tutors, trainers
works: works, builds confidence, makes learning fun, pays off
fails: wastes your time, leads nowhere, confuses everyone, puts you to sleep
work: pay off, make sense, help
fail: lead nowhere, confuse us, bore us
fact_good: I passed on the first try, my daughter runs to class every morning, I can now order dinner in Italian, he
  answered every question twice, I understood math for the first time, I got the job thanks to it, my son reads on his
  own now, we all stayed after the last lesson to talk, my grades went up, I have signed up for the second part, she
  knew all our names after a day
fact_bad: I failed the test, nobody showed up to teach, I learned more from a free video, my son cried every morning,
  he read from his notes for two hours, half of the class dropped out, I still can't say a word, the videos would not
  play, she yelled at the beginners, my questions were never answered, I got a refund after the first week, the book
  was from 1995
better: clearer, more useful, more fun, better taught, more patient, more practical
worse: drier, more confusing, duller, less useful, more chaotic, less patient
seems: looks, seems, sounds, feels
plus: the low fee, the nice building, the free books, the small group, the famous professor, the certificate, the
  coffee breaks, the modern classroom
minus: the early hours, the homework, the high fee, the long drive, the hard chairs, the strict rules, the large
  group, the old textbook
stay: take the next level, sign up again, send my kids there, recommend it to my class
stayed: taken the next level, signed up again, sent my kids there, recommended it to my class
leave: drop out, ask for my money back, change schools, learn it on my own
left: dropped out, asked for my money back, changed schools, learned it on my own
"""),
    "home": _read("""
thing: apartment, house, flat, studio, neighborhood, shared house, rental, street, village, suburb
things: apartments, houses, flats, neighborhoods, studios
part: kitchen, bathroom, view, heating, garden, rent, location, balcony, roof, basement, layout, elevator, landlord
parts: neighbors, walls, windows, floors, rooms, pipes, stairs, streets
good: bright, quiet, cozy, spacious, sunny, safe, affordable, well kept, green, airy, peaceful, central, snug
bad: damp, noisy, moldy, dark, cramped, overpriced, run-down, drafty, unsafe, leaky, filthy, freezing, shabby
use: rent, choose, live in
used: rented, lived in, seen
using: renting, living in
person: landlord, landlady, janitor, agent, neighbor, roommate
persons: neighbors, landlords, agents, roommates
works: feels like home, charms everyone, meets every need, delivers
fails: falls apart, makes you ill, disappoints, lets you down
work: feel like home, deliver, hold up
fail: fall apart, disappoint, leak
fact_good: we signed for ten more years, I hear birds when I wake up, our neighbors brought us a cake, the heating
  bill is half of what it was, the kids play outside until dark, the landlord fixed the tap the same day, we never
  want to move again, I drink my coffee in the sun every morning, my guests never want to leave, we have bought the
  place next door too, I can leave the door unlocked
fact_bad: there is mold behind the wardrobe, rats live in the basement, the landlord kept our deposit, we moved out
  after a month, the ceiling came down, I hear every word from next door, the toilet has been broken since June, we
  wear coats indoors, the rent went up twice in a year, someone broke in twice, I shower at the gym now, the lights go
  out every evening
better: brighter, quieter, cozier, cheaper, safer, roomier, warmer
worse: darker, noisier, damper, pricier, colder, more cramped, less safe
seems: looks, feels, seems
plus: the low rent, the central location, the new kitchen, the big balcony, the high ceilings, the nice facade, the
  view of the park, the short way to work
minus: the high rent, the steep stairs, the small kitchen, the old windows, the long way to work, the plain facade,
  the missing elevator, the tiny bathroom
stay: sign for another year, stay forever, buy the place, tell my friends to move there
stayed: signed for another year, stayed forever, bought the place, told my friends to move there
leave: move out, look for another place, call a lawyer, go back to my parents
left: moved out, looked for another place, called a lawyer, gone back to my parents
"""),
    "delivery": _read("""
thing: delivery, package, order, courier service, grocery delivery, meal kit, subscription box, moving company,
  delivery service, shipment
things: deliveries, packages, orders, shipments
part: packaging, tracking, service, quality, support, box, timing, courier, return, label, ice pack
parts: drivers, items, vegetables, boxes, fees, updates, couriers
good: punctual, fast, fresh, careful, complete, on time, well packed, reliable, prompt, undamaged, quick, friendly
bad: late, damaged, crushed, incomplete, careless, leaking, slow, soaked, rotten, unreliable, dented, spoiled
use: order, choose, try
used: ordered, chosen, tried
using: ordering, choosing, trying
person: driver, courier, mailman, dispatcher, seller
persons: drivers, couriers, sellers
works: arrives on time, delivers, runs like clockwork, keeps its promises
fails: arrives late, gets lost, arrives broken, lets you down
work: deliver, arrive on time, hold up
fail: arrive late, get lost, arrive broken
fact_good: it was at my door the next morning, the driver carried it up to the fifth floor, not one egg was cracked,
  they refunded me before I could ask, it came two days early, everything was still cold, he called ahead and waited
  for me, they sent a free one along, I order every week now, the lettuce was crisper than in the store
fact_bad: it was left out in the rain, half of it was missing, the eggs were broken, it went to the wrong city, they
  said that I was not at home while I stood at the window, the ice had melted, it took seven weeks, the driver threw
  it over the fence, the box was empty, I am still waiting for it, they billed me for someone else's order, the milk
  was sour
better: faster, fresher, more careful, more punctual, more reliable, cheaper
worse: slower, later, less careful, more expensive, less fresh, less reliable
seems: looks, seems, feels
plus: the low fee, the nice app, the pretty box, the free sample, the big selection, the exact tracking, the polite
  emails, the discount
minus: the high fee, the early hour, the plain box, the tape, the dented box, the long form, the odd label, the one
  missing apple
stay: order again, use them every week, tip the driver, tell the neighbors
stayed: ordered again, used them every week, tipped the driver, told the neighbors
leave: cancel my order, ask for a refund, get it myself, send it all back
left: canceled my order, asked for a refund, got it myself, sent it all back
"""),
    "sport": _read("""
thing: game, match, final, season, race, tournament, derby, second half, training session, cup final
things: games, matches, finals, races, seasons
part: defense, passing, atmosphere, coach, goalkeeper, pace, attack, finish, crowd, field, team, referee, teamwork
parts: players, goals, fans, tactics, shots, substitutes, seats, passes
good: thrilling, exciting, fair, fast, gripping, spirited, disciplined, brave, sharp, world-class, well played
bad: dull, slow, sloppy, one-sided, lifeless, uninspired, scoreless and sleepy, clumsy, lazy, toothless, unfair,
  listless
use: watch, see, attend
used: watched, seen, attended
using: watching, seeing, attending
person: coach, referee, striker, goalkeeper, captain, trainer
persons: players, coaches, referees, trainers
works: thrills, delivers, fights to the last minute, shines
fails: falls apart, drags, puts you to sleep, disappoints
work: shine, deliver, fight
fail: fall apart, drag, disappoint, stumble
fact_good: we sang all the way home, they came back from three goals down, I lost my voice cheering, strangers hugged
  in the stands, nobody sat down for ninety minutes, I have bought tickets for the rest of the season, my son wants to
  be a goalkeeper now, they fought until the last second, the whole town was in the streets, we watched it again the
  same night
fact_bad: the fans left at halftime, I read the paper during the second half, our own crowd whistled, they did not
  shoot once, I want my ticket refunded, the referee was looking the other way, we lost to a team of schoolboys,
  nobody ran, people turned their backs to the field, I gave my season ticket away, I fell asleep before the break
better: faster, more exciting, braver, sharper, fairer, more thrilling
worse: slower, duller, sloppier, lazier, more one-sided, less fair
seems: looks, feels, seems
plus: the perfect weather, the full stadium, the famous players, the good seats, the new stadium, the big names, the
  brass band, the early goal
minus: the rain, the cold, the hard benches, the late kickoff, the ticket prices, the long drive, the early red card,
  the slow start, the muddy field
stay: watch it again, buy a season ticket, go to every game, bring my kids
stayed: watched it again, bought a season ticket, gone to every game, brought my kids
leave: leave at halftime, switch it off, give my ticket away, read the paper instead
left: left at halftime, switched it off, given my ticket away, read the paper instead
"""),
}
"""For each topic its own words, beside those of `GENERAL`: `good` and `bad` are joined, other names differ."""

MISSPELLINGS = _read("""
absolutely: absolutly, absolutley, abslutely
definitely: definately, definitly, defenitely
recommend: recomend, reccomend
recommended: recomended, reccommended
awesome: awsome, awesom
excellent: excelent, exellent
delicious: delicous, delisious
beautiful: beautifull, beutiful
coming: comming
really: realy, rly
disappointed: dissapointed, disapointed
disappointing: dissapointing, disapointing
terrible: terible, terrable
horrible: horible, horrable
fantastic: fantastik, fantasic
amazing: amazin, amzing
wonderful: wonderfull, wunderful
friends: freinds
restaurant: resturant, restaraunt
waitress: waitres
believe: beleive, belive
embarrassed: embarassed
surprised: suprised
completely: completly
totally: totaly, totes
favorite: favrite, favourit
comfortable: comfterble, confortable
boring: borin, booring
great: gr8, grate, graet
good: gud, goood
bad: baad, badd
the: teh, da
you: u
thanks: thx, thanx, tnx
please: plz, pls
""")
"""How people often spell some words."""
