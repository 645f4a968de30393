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
loved: loved, adored, enjoyed, liked, admired, cherished, really liked, thoroughly enjoyed, fell in love with, was
  crazy about, had a soft spot for, was blown away by, treasured
hated: hated, despised, loathed, disliked, regretted, detested, really disliked, couldn't stand, was bored by, was put
  off by, was sick of, could barely tolerate, cursed
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
flaw: problem, flaw, fault, mistake, weakness, complaint, regret, glitch, blemish, defect, weak spot, false note,
  hiccup, shortcoming, disappointment, annoyance, slip, letdown
flaws: problems, flaws, faults, mistakes, weaknesses, complaints, regrets, glitches, defects, shortcomings, errors,
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
"""),
    "hotel": _read("""
thing: hotel, hostel, room, apartment, resort, campsite, suite, inn, guesthouse, cottage, villa, motel, cabin, stay,
  holiday, vacation, cruise, trip, tour, flight, beach house
things: hotels, rooms, hostels, apartments, resorts, trips, tours, stays
part: bed, breakfast, bathroom, pool, view, location, staff, shower, garden, lobby, gym, balcony, kitchen, beach,
  reception, carpet, mattress, air conditioning, wifi, spa, terrace, elevator, minibar
parts: beds, towels, rooms, sheets, walls, pillows, views, windows, prices, hallways, neighbors, guides
good: clean, cozy, comfortable, quiet, spacious, spotless, luxurious, bright, friendly, peaceful, welcoming, relaxing,
  modern, well kept, sunny, elegant, central, airy, tidy, comfy, soft, homely, soundproof, picturesque
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
"""),
    "event": _read("""
thing: concert, play, album, song, exhibition, museum, course, lecture, party, wedding, workshop, match, festival,
  opera, podcast, class, tour, zoo, theme park, ballet, seminar, lesson, conference, circus, gallery
things: concerts, courses, songs, lectures, shows, museums, classes, albums
part: sound, band, singer, teacher, music, lighting, audience, organization, speaker, venue, guitar solo, opening act,
  material, stage, guide, exhibit, schedule, choir, lyrics
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
