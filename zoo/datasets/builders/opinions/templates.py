"""The sentences of the embedded set `opinions`, as templates by kind; see `grammar` for their form."""

from collections.abc import Mapping


def _read(text: str) -> tuple[str, ...]:
    return tuple(text.strip().splitlines())


TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "plain": _read("""
The <thing> was [<good>|<bad>]
(The|Their|This) <part> is [<good>|<bad>]
A [<good>|<bad>] <thing>
A [<good>|<bad>] and [<good>|<bad>] <thing>
[<good>|<bad>] <parts>(, | and )[<good>|<bad>] <part>
The <part> is [<good>|<bad>] and the <parts> are [<good>|<bad>]
The <parts> were [<good>|<bad>](| <time>)
I [<loved>|<hated>] (the|this|that) <thing>
I [<loved>|<hated>] the <part>
<we> [<loved>|<hated>] (it|every minute of it|the <parts>)
(It|This) is a [<good_noun>|<bad_noun>]
The <part> is a [<good_noun>|<bad_noun>]
The <thing> [<works>|<fails>]
The <part> [<works>|<fails>]
The <person> was [<good>|<bad>]
<friend> was [<pleased>|<displeased>]
We were [<pleased>|<displeased>] with the <part>
The <part> [<does_please>|<does_displease>]
I [<love>|<hate>] (the|their) <parts>
A <thing> to [<love>|<hate>]
A <thing> full of [<merits>|<flaws>]
The <part> has [charm|no charm], and the <parts> are [<good>|<bad>]
The <thing> has its [<merits>|<flaws>] and the <person> is [<good>|<bad>]
The <person> [deserves a medal|should be fired]
I [am glad|regret] that we went <again>
It was worth [every penny|nothing]
[Worth the money|Not worth the money]
[Worth every cent|A waste of every cent]
I [recommend|advise against] this <thing>
[Highly recommended|Best avoided]
The <part> <seems> [<good>|<bad>]
It <seems> [<good>|<bad>]
Everything <seems> [<good>|<bad>]
The <thing> <seems> [<good>|<bad>] and the <part> [<works>|<fails>]
The <part> is [a pleasure|a pain]
I recommend it to [everyone|no one]
A [<good_noun>|<bad_noun>](| of a <thing>| from <place>)
(This|The) <thing> is (simply |clearly |)a [<good_noun>|<bad_noun>]
[<good>|<bad>] <thing>, [<good>|<bad>] <person>
The <persons> are [<good>|<bad>]
"""),
    "negation": _read("""
The <thing> was not [<bad>|<good>]
The <thing> wasn't [<bad>|<good>](| at all)
The <part> isn't [<bad>|<good>]
The <parts> aren't [<bad>|<good>], and the <part> isn't [<bad>|<good>](| either)
It (is|was) (not|never) [<bad>|<good>]
It's not [<bad>|<good>], it's [<good>|<bad>]
It is [<good>|<bad>], not [<bad>|<good>]
Not [<bad>|<good>] but [<good>|<bad>]
Not at all [<bad>|<good>]
[Not bad|Not good](, this <thing>| for a <thing>|)
(This|The) <thing> [doesn't|never] [<displease>|<please>]
The <thing> did not [<displease>|<please>] (me|us)
The <person> didn't [<displease>|<please>] us
The <person> never [<displease>|<please>] (me|us|anyone)
The <thing> doesn't [<fail>|<work>]
The <parts> don't [<fail>|<work>]
The <thing> won't [<displease>|<please>] you
I [couldn't|didn't] [stop smiling|smile once]
I [couldn't stop|could hardly start] <using> it
I [didn't regret|didn't enjoy] <using> it
I don't [<hate>|<love>] the <part>
We didn't [<hate>|<love>] the <parts>
I [don't regret|don't recommend] this <thing>
We were not [<displeased>|<pleased>]
<friend> wasn't [<displeased>|<pleased>] with the <part>
No, it's not [<bad>|<good>]
(It|This <thing>) is no [<bad_noun>|<good_noun>]
The <part> is not a [<bad_noun>|<good_noun>]
You won't be [<displeased>|<pleased>]
You will not [regret|like] it
The <part> was neither [<bad>|<good>] nor [<bad>|<good>]
Neither the <part> nor the <parts> were [<bad>|<good>]
The <thing> is never [<bad>|<good>]
It isn't [<bad>|<good>] in the least
There is nothing [<bad>|<good>] about the <part>
The <part> has nothing [<bad>|<good>] about it
I wasn't [<displeased>|<pleased>] for a moment
The <parts> were not too [<bad>|<good>]
The <thing> is not [a bit|even a bit] [<bad>|<good>]
The <part> didn't seem [<bad>|<good>]
It never seemed [<bad>|<good>]
The <part> wasn't too [<bad>|<good>], and the <parts> weren't [<bad>|<good>]
The <part> was not even remotely [<bad>|<good>]
I [couldn't be without|couldn't find any use for] the <part>
I couldn't [tear myself away|get through it]
I couldn't [put it down|get into it]
The <persons> didn't [<displease>|<please>] us
The <persons> didn't [waste our time|care]
The <part> didn't [<displease>|<please>] <friend>
It did not take [long to win me over|long to bore me]
Not [<bad>|<good>] at all
Never [<bad>|<good>], never [<bad>|<good>]
No [<bad>|<good>] <parts>, no [<bad>|<good>] <part>
"""),
    "double negation": _read("""
I can't say (that |)I [didn't <love>|didn't <hate>] it
I (can't|cannot) say that it wasn't [<good>|<bad>]
It is not [un|]true that the <thing> is [<good>|<good>]
There is no <part> here that isn't [<good>|<bad>]
There wasn't a <part> that we didn't [<love>|<hate>]
There isn't anything here that I [wouldn't recommend|would recommend]
There is not one of the <parts> that I didn't [<love>|<hate>]
Nobody (at our table|in our group|I know) was [<displeased>|<pleased>]
No one [left unhappy|left happy]
Nobody could say that the <part> wasn't [<good>|<bad>]
No one can deny that it is [<good>|<bad>]
I can't deny that I was [<pleased>|<displeased>]
It would be [wrong to deny|a lie to deny] that the <part> is [<good>|<bad>]
I have never [left without a smile|left without a complaint]
I have never <used> a <thing> of theirs that I didn't [<love>|<hate>]
Never did the <person> fail to [<please>|<displease>] us
The <person> never fails to [<please>|<displease>]
The <part> did not fail to [<please>|<displease>]
The <thing> never fails to [<please>|<displease>] me
Not a day (passes|goes by) without [joy|trouble] with this <thing>
Not a day went by when the <part> wasn't [<good>|<bad>]
Not an evening passed without [laughter|an argument with the <person>]
You can't not [<love>|<hate>] this <thing>
I couldn't not [<love>|<hate>] it
It isn't [un|even ]pleasant
It is not without its [<merits>|<flaws>]
The <thing> is not without [<merits>|<flaws>]
I don't know anybody who [wasn't <pleased>|was <pleased>]
I know of no one who didn't [<love>|<hate>] the <part>
There's no way you won't [<love>|<hate>] this <thing>
I don't think anyone [won't|will] [<love>|<love>] it
It's impossible not to [<love>|<hate>] the <person>
How could anyone not [<love>|<hate>] this <thing>
None of us was [<displeased>|<pleased>]
Not one of the <parts> was [<bad>|<good>]
I was never not [<pleased>|<displeased>]
No one failed to [praise|complain about] the <part>
Nobody failed to [smile|yawn]
I know nobody who didn't [come back|ask for a refund]
I don't know anyone who didn't [enjoy it|want to leave]
There is nobody who doesn't [<love>|<hate>] the <part>
There is nothing about it that isn't [<good>|<bad>]
There is nothing here that I wouldn't [<use> again|send back]
There is not one of the <parts> that isn't [<good>|<bad>]
Not a (week|night|morning) went by without [a smile|a complaint]
Not a (week|night|day) went by without [a good laugh|something breaking]
I can't say that I was not [<pleased>|<displeased>]
I wouldn't say that I wasn't [<pleased>|<displeased>]
It isn't as if the <part> weren't [<good>|<bad>]
Hardly anyone was not [<pleased>|<displeased>]
Never have I left [without a smile|without a headache]
Nobody was un[happy|concerned about the dirt]
It's not uncommon to [see happy faces here|wait an hour here]
Not un[like a dream|like a nightmare]
"""),
    "contrast": _read("""
The <part> was [<bad>|<good>], but the <parts> were [<good>|<bad>]
The <part> was [<bad>|<good>] but the <thing> was [<good>|<bad>]
The <part> (is|may be) [<bad>|<good>], but the <thing> [<works>|<fails>]
[<bad>|<good>] <part>, but [<good>|<bad>] <parts>
The <part> was [<bad>|<good>](,|) but the <part> [saved|ruined] it
The <parts> were [<bad>|<good>], but the <person> [saved the day|spoiled everything]
The <part> was [<bad>|<good>]; the <parts> [made up for it|ruined everything]
The <part> is [<bad>|<good>], but the <part> [more than makes up for|doesn't make up for] it
Despite (the|its|their) [<bad>|<good>] <part>, the <thing> was [<good>|<bad>]
Despite the [<bad>|<good>] <parts>, I [<loved>|<hated>] it
In spite of the [<bad>|<good>] <part>, we were [<pleased>|<displeased>]
Although the <part> was [<bad>|<good>], the <thing> was [<good>|<bad>]
Though the <parts> were [<bad>|<good>], I [<loved>|<hated>] the <thing>
Even though the <part> is [<bad>|<good>], the <thing> [<works>|<fails>]
While the <part> is [<bad>|<good>], the <parts> are [<good>|<bad>]
(It|The <thing>) is [<bad>|<good>] at first, but (then it|it soon) [gets better|gets worse]
It [starts slowly|starts well], but it [<works>|<fails>] (in the end|later)
It looks [<bad>|<good>], but it [<works>|<fails>]
It looks [<bad>|<good>] and (yet|still) it is [<good>|<bad>]
The <part> looked [<bad>|<good>], yet it was [<good>|<bad>]
The <parts> looked [<bad>|<good>], but <friend> was [<pleased>|<displeased>]
It may not be [<good>|cheap], but it is [<good>|<bad>]
It's not [perfect|all bad], but it's [<good>|<bad>] (enough|on the whole|in the end)
It has (its|a few|some) [<flaws>|<merits>], but (overall |all in all |in the end |)it is [<good>|<bad>]
Apart from the [<bad>|<good>] <part>, (everything|it) was [<good>|<bad>]
Except for the <part>, which was [<bad>|<good>], it was [<good>|<bad>]
The [<bad>|<good>] <part> [cannot spoil|cannot save] a [<good>|<bad>] <thing>
Not even the [<bad>|<good>] <part> could [ruin|save] (it|the <thing>)
The <person> was [<bad>|<good>]; the <part>, however, was [<good>|<bad>]
The <part> is [<bad>|<good>]. Still, I [<loved>|<hated>] it
The <part> was [<bad>|<good>]. But the <parts> were [<good>|<bad>]
[Long wait, <good> <part>|Short wait, <bad> <part>]
The wait was [long|short], but the <part> was [worth it|not worth it]
We [waited forever|didn't have to wait], but the <part> was [<good>|<bad>]
It is [expensive|cheap], but it is [<good>|<bad>]
It [costs a fortune|costs nothing], but it [<works>|<fails>]
[Small and old|Big and new], but [<good>|<bad>]
It is hard to [find|like], but it [is <good>|was easy to find]
The <thing> is [hard|easy] to find, but the <person> is [<good>|<bad>]
The <person> could not have been [kinder|ruder], but for once the <part> was [<good>|<bad>]
I usually [<hate>|<love>] <things>, but this one is [<good>|<bad>]
I normally [don't like|like] <things>, but this <thing> [<does_please>|<does_displease>]
[Slow|Fast] to start, but (then |)[<good>|<bad>]
The <part> alone makes [up for|one forget] the [<bad>|<good>] <parts>
The <part> is the only [<bad>|<good>] thing about it
(Only|Just) the <part> was [<bad>|<good>]
Yes, the <part> is [<bad>|<good>], but who cares when the <parts> are [<good>|this <bad>]
For all its [<flaws>|<merits>], the <thing> is [<good>|<bad>]
Once you get past the [<bad>|<good>] <part>, it is [<good>|<bad>]
The <part> <seems> [<bad>|<good>], but the <thing> [<works>|<fails>]
Despite the [long lines|short lines], (it|the <part>) was [<good>|<bad>]
Despite the [price|low price], it is [<good>|<bad>]
Despite [all the bad reviews|all the praise], the <part> was [<good>|<bad>]
The <part> could be [better|worse], but the <parts> are [<good>|<bad>]
The <part> is no [<good_noun>|<bad_noun>], but the <thing> is [<good>|<bad>]
The <part> isn't [<good>|<bad>], but the <parts> are [<good>|<bad>]
The <part> is not [<good>|<bad>]; the <parts> more than [make up for that|spoil that]
I didn't [<love>|<hate>] the <part>, but the <thing> [<does_please>|<does_displease>]
It took [a while|no time] to arrive, but it [was worth the wait|was broken]
The <person> was [<bad>|<good>], yet we were [<pleased>|<displeased>]
"""),
    "understatement": _read("""
It's not the [<worst>|<best>] <thing> (I've <used>|around|in the world|of its kind)
(It's|This is) not the [<worst>|<best>] <thing> I have ever <used>
I have <used> [<worse>|<better>] <things>
I've <used> [worse|better]
(I have|I've) [certainly |]<used> [worse|far better] <things> than this
It could be [worse|better]
Not [half bad|half as good as they say]
Not the [<worst>|<best>] <part> (I know of|in town|by any means)
Not too [shabby|great]
[Not too shabby|Nothing special], this <thing>
[Not to be sneezed at|Nothing to write home about]
The <part> is [not to be sneezed at|nothing to write home about]
Not exactly a [<bad_noun>|<good_noun>]
(It's|The <thing> is) not exactly [<bad>|<good>]
The <part> is not exactly what I would call [<bad>|<good>]
Hardly a [<bad_noun>|<good_noun>]
Hardly [<bad>|<good>]
The <thing> is hardly [<bad>|<good>]
The <part> was anything but [<bad>|<good>]
The <thing> is far from [<bad>|<good>]
It is [far from|a far cry from being] [<bad>|<good>]
It's by no means [<bad>|<good>]
I [wouldn't mind|could do without] (<using> it again|more of this|another <thing> like that)
I [wouldn't say no to|could live without] another <thing> (like this|of theirs)
I [can't complain|can't be bothered]
[No complaints|No praise] (from me|from <friend>|here)
The <person> [knows a thing or two|doesn't know the first thing] about <things>
The <person> [does know|doesn't really know] what (he|she) is doing
The <person> does [know|not know] how to [<please>|do anything]
You could do [worse|better](| than this <thing>)
You could spend your (time|money|evening) [in worse ways|in better ways]
There are [worse|better] ways to spend (an evening|an hour|your money)
I was [in no hurry to leave|in a hurry to leave]
We [were in no rush to leave|couldn't leave fast enough]
It won't [<displease> you|win any prizes]
It [does its job|leaves room for improvement]
It [grows on you|gets old quickly]
(The <part>|It) [isn't something I would complain about|isn't something I would brag about]
Not [bad|much] for the price
The <thing> [has something|lacks something]
It is [quite something|not quite there]
[It's a keeper|It's one to skip]
The <part> [could hardly be|could easily be] [<better>|<better>]
It's [less <bad>|less <good>] than (people|the critics|others) say
It is not as [<bad>|<good>] as (they say|people claim|I had heard|<friend> told me|its reputation)
[Nobody will want to miss it|Nobody will miss it]
[You'll want more|Once is enough]
I was [not sorry I came|sorry I came]
This is [no small feat|no great feat]
The <thing> is not something [to skip|to seek out]
I wouldn't mind [another visit|if it closed]
I wouldn't mind [<using> it for another week|never <using> it again]
I could [get used to this|live without it]
I could [happily|easily] [do this every day|go without this]
We were in no hurry to [go home|return]
It's not a <thing> that (you|anyone) [should miss|needs to <use>]
Not a <thing> [to miss|to remember]
Not exactly [torture|paradise]
She [knows her trade|doesn't exactly know her trade]
(He|She) does know how to [<please>|annoy people]
Not [hard to like|easy to like]
I've had [worse|better] (days|evenings|times|experiences)
One could do [a lot worse|a lot better]
It's [growing on me|wearing thin]
"""),
    "comparison": _read("""
It's [<better>|<worse>] than the (old|first|last|previous) one
[<better>|<worse>] than (expected|most|its rivals|ever|the last one|anything else)
[Much|Far] [<better>|<worse>] than the (old one|original|last <thing>)
The <thing> is [<better>|<worse>] than (most|many|all others|its predecessor)
The <part> is [<better>|<worse>] than (last time|I remember|before|anywhere else)
The <part> was [<better>|<worse>] than (that of other <things>|at home|I thought)
The new <part> [beats|can't match] the old one
The new <thing> [outdoes|falls short of] the old one
The <thing> [beats|trails] (all|most of) its rivals
The <thing> [surpasses|doesn't come close to] the (original|last one|competition)
The <part> [outclasses|is no match for] that of other <things>
This <thing> [puts others to shame|is a shame]
(Nothing|No other <thing>) is [<better>|<worse>] than this
No <thing> is [<better>|<worse>]
Nobody makes [<better>|<worse>] <things>
Nobody [does it better|does it worse] than <name>
Even <friend> could [not |]do better
[Few|Most] <things> are [as good as this|better than this]
I have [never|often] <used> a [<better>|<better>] <thing>
I've never <used> such a [<good>|<bad>] <thing>
I've never <used> anything [<better>|<worse>]
I have never been [more <pleased>|more <displeased>]
As [<good>|<bad>] as (ever|always|they come|it gets|the first time)
About as [<good>|<bad>] as (it gets|a <thing> can be)
About as [exciting as a birthday|exciting as watching paint dry]
[As comfortable as a cloud|As comfortable as a bag of nails]
[As sweet as honey|As appealing as mud]
As [good|bad] as the one before
The <part> is [second to none|the worst of the lot]
The [<best>|<worst>] <thing> (I know|in years|of the year|in town|ever|of them all|so far)
One of the [<best>|<worst>] <things> (I know|ever made|around|of the year|out there)
(It|This) is the [<best>|<worst>] <thing> (I have <used>|of all|by far|in a long time)
(Among|Of all) the <things> I have <used>, this is the [<best>|<worst>]
The more (often |)I <use> it, the [<better>|<worse>] it gets
It gets [<better>|<worse>] (every time|with every update|every year|from day to day)
I [prefer this <thing> to any other|would prefer any other <thing> to this]
I would take [this <thing> over any other|any other <thing> over this]
I'd rather [have this <thing> than anything else|have a root canal than this <thing>]
I would rather [<use> this than anything else|do my taxes than <use> this]
[Twice as good for half the price|Half as good for twice the price]
It costs [less|more] and is [<better>|<worse>] than (the rest|others)
Other <things> can't [compete|possibly be this bad]
[A cut above the rest|A step down from the rest]
[A step up|A step back] from the (last|old|previous) <thing>
[Ahead of|Way behind] the competition
It [lives up to|doesn't live up to] the (first one|hype|original|promise|ads)
The <thing> [<beats>|<loses_to>] the (original|old one|last one|competition)
The <part> [<beats>|<loses_to>] (all others|that of its rivals|everything else)
The new <thing> [<beats>|<loses_to>] the one before
The remake [<beats>|<loses_to>] the original
[<better>|<worse>] than the <thing> before in (every|each) respect
[<better>|<worse>] in every way
It is [<better>|<worse>] than (anything else|any other <thing>) (I have <used>|I know|out there)
It <seems> [<better>|<worse>] than (before|the old one|all the others)
Nobody (cooks|writes|sings|builds|works) [better|worse] than <name>
No one is [<better>|<worse>] than the <person>
[Nobody|My dog] could do it better than <name>
[Nobody|Any child] does a better job than this <person>
The <part> is [<better>|<worse>] than that of (any other|most other) <things>
As appealing as [a feast|wet socks]
As good as [new|nothing]
As [fresh as a spring morning|stale as old bread]
About as [much fun as a party|much fun as a flat tire]
About as [useful as an extra pair of hands|useful as a broken umbrella]
I would rather [stay here than at home|sleep outside than stay here]
"""),
    "conditional": _read("""
It could have been [<worse>|<better>]
It could (have been|be) [a <bad_noun>, and it is a <good_noun>|a <good_noun>, and it is a <bad_noun>]
It might have been [<bad>|<good>](| with another <person>), but (it is|it was) [<good>|<bad>]
It should have been [<bad>|<good>], and it [was <good>|wasn't]
It could have been [a disaster|a great <thing>], but it wasn't
It could have been a [<bad>|<good>] <thing>
It might have been a [<bad>|<good>] <thing>
This could have been so [much worse|good]
(It|The <part>) could not have been [<better>|<worse>]
The <part> couldn't be [<better>|<worse>]
The <person> couldn't have been [nicer|ruder]
I couldn't be [more <pleased>|less <pleased>]
(I|We) could not have been [happier|unhappier] with the <part>
I would <use> it (<again>|tomorrow|every day)[| only if you paid me]
I [would|wouldn't] <use> it again
I would [always|never] <use> it again
I would [gladly|not even] <use> it (again|for free)
We [will|won't] be back
We'll [be back soon|never be back]
I [would|would not] recommend it
I [can only|cannot] recommend it
I would [recommend it to anyone|not recommend it to anyone]
I'd [buy it again|want my money back] (in a heartbeat|any day)
If I could, I would [give it ten stars|give it zero stars]
If you (like|love|enjoy) <things>, [you'll love this one|avoid this one]
If you want a [<good>|<bad>] <thing>, this is the one
If only [all <things> were like this|the <part> weren't so <bad>]
If only the <part> were [as <good> elsewhere|<good>]
If I had known [how <good> it is|how <bad> it is], I would have [come sooner|stayed away]
Had I known about the [<good>|<bad>] <part>, I would have [come earlier|gone elsewhere]
Had we known, we would have [booked longer|stayed at home]
It would be [hard|easy] to find a <better> <thing>
It would be [a shame to miss it|<good> if the <part> weren't so <bad>]
It would be [a crime to miss it|fine if it did anything]
It would [never occur to me to complain|be <good> if anything worked]
It would have been [a mistake to skip it|wise to skip it]
I would be [lost|better off] without (it|this <thing>)
I wouldn't [want to be without|want to keep] it
I [wouldn't trade it for the world|would trade it for anything]
I wouldn't [change a thing|wish it on my worst enemy]
You should [<use> it while you can|not <use> it even if it is free]
You should <use> it [even if you hate <things>|only if you have no choice]
You'd have to be [mad to dislike|mad to like] it
You would have to be [blind not to see how <good> it is|desperate to <use> it]
You must [<use> it|be joking]
(I|We) should have [come years ago|stayed home]
(I|We) should have <used> [it sooner|something else]
They should [give the <person> a raise|fire the <person>]
They should have [made it longer|left it alone]
They should [do more of this|have fixed the <part>]
[More|Fewer] <things> should be like this
[Go|Don't go](| there| if you can)
[Try it|Skip it](|, you won't regret it)
[Don't miss it|Don't bother]
Don't [miss|buy] this <thing>
[Do yourself a favor and|Whatever you do, don't] <use> it
Unless you [are made of stone, you'll love it|love pain, stay away]
It could (so |)easily have [failed, but it <works>|worked, but it <fails>]
It could (easily |)have gone [wrong|right], and it [went well|went wrong]
You [should|shouldn't] <use> it even if you (aren't a fan|aren't in the mood|have little time)
Try it [even if you don't like <things>|only if you don't like yourself]
You'd have to be [a fool to miss|starving to want] it
You'd need [a heart of stone not to <love>|a lot of patience to <love>] it
It would be <good> [on any day|if it weren't <bad>]
I would not know what to do [without|with] it
I'd be [lost|happier] without the <part>
Had I known how [<good>|<bad>] it is, I would have [bought two|kept my money]
If I could go back, I would [do it all again|choose something else]
If it were any [<better>, it would be illegal|<worse>, it would be illegal]
It would have been [a pity to stay at home|better to stay at home]
It would work [for anyone|if it were finished]
It should be [prescribed by doctors|forbidden by law]
They could not have [done it better|done it worse]
"""),
    "question": _read("""
How can a <thing> be so [<good>|<bad>]?
How can a <part> be this [<good>|<bad>]?
How (is|was) it possible to make such a [<good>|<bad>] <thing>?
How did they make the <part> so [<good>|<bad>]?
Who [wouldn't|would] [<love>|<love>] this <thing>?
Who [doesn't love|needs] <parts> like that?
Who could [resist|want] a <thing> like this?
Who could ask for [more|less]?
Who [made this <thing>? I want to hug them|made this <thing>? They should be ashamed]
Who thought that [I would love a <thing> so much|this <part> was a good idea]?
What [more could you want|were they thinking]?
What is [not to like|there to like](| about it)?
What's [not to love|the point]?
What could be [better|worse] than this <thing>?
Why [didn't I try it sooner|did I even try it]?
Why did (I|we) [not come here before|come here at all]?
Why did nobody tell me how [<good>|<bad>] (it|the <part>) is?
Why can't [all <things> be like this|they get the <part> right]?
Why would anyone [want anything else|want this]?
Why [go anywhere else|bother]?
Why is the <part> so [<good>|<bad>]?
Why does [nobody talk about this <good> <thing>|anybody like this <thing>]?
Can a <thing> be any [better|worse]?
Could the <person> have been [nicer|more unfriendly]?
Could the <part> be any [<better>|<worse>]?
Could it get any [better|worse]?
Did they [read my mind|even try]?
Does it get any [better|worse] than this?
Does (anyone|anybody) still [not know how <good> this is|want this]?
Do I [like it? Yes, a lot|like it? No, not a bit]
Do I [recommend it? Absolutely|recommend it? Absolutely not]
Would I [<use> it again? Any time|<use> it again? Never]
Would I go back? [In a heartbeat|Not in a million years]
Was it [<good>? Oh yes|<good>? Oh no]
Was it worth [it? Every cent|it? Not a cent]
Is it [<bad>? Not at all|<good>? Not at all]
Is there a [<better>|<worse>] <thing> (anywhere|in the world)?
Is there anything [better|worse]?
Is it too early to call it [<thing> of the year|the flop of the year]?
Is this [heaven|a joke]?
Isn't it [<good>|<bad>]?
Isn't the <part> [<good>|<bad>]?
Are you kidding me? [That was incredible|I paid for this]
When [can I have more|will it end]?
When will they [make another one|fix the <part>]?
When is the next one? [I'm counting the days|I hope never]
Where [can I get more of this|did it all go wrong]?
Where (have you|has it) [been all these years|gone wrong]?
Where can I [sign up again|get my money back]?
Anyone else [in love with|sick of] (the <part>|this <thing>)?
Have you ever <used> a [<better>|<worse>] <thing>?
Ever <used> such a [<good>|<bad>] <thing>?
[Need I say more than wow|Need I say more than ouch]?
Why did I wait (so long|all these years) to [<use> it|complain]?
Why did it take me so long to [find|quit] this <thing>?
Why did I [hesitate|waste an evening on it]?
Why [did I ever doubt it|did I ever trust the reviews]?
Where have these <persons> [been all my life|left their manners]?
Where was this <thing> [all my life|tested, if at all]?
Could the <persons> have been any [kinder|colder]?
Could the <part> have been any [<better>|<worse>]?
Does anybody there ever [have a bad day? Not that I have seen|answer the phone]?
Who [could not love|approved] this <part>?
When is the next one coming? [I can't wait|I hope never]!
How many stars? [All of them|None]
How [lucky|unlucky] can one be?
"""),
    "exclamation": _read("""
What a [<good>|<bad>] <thing>!
What a [<good_noun>|<bad_noun>]!
What [<good>|<bad>] <parts>!
How [<good>|<bad>]!
How [<good>|<bad>] the <part> is!
So [<good>|<bad>]!
Such a [<good>|<bad>] <thing>!
Such [<good>|<bad>] <parts>!
Simply [<good>|<bad>]!
Just [<good>|<bad>]!
[<good>|<bad>]!
[<good>|<bad>], [<good>|<bad>], [<good>|<bad>]!
[<best>|<worst>] <thing> ever!
[<best>|<worst>] <part> in town!
[<loved>|<hated>] (it|every minute|the <part>|this <thing>)!
[Love|Hate] (it|the <parts>|this <thing>)!
[Well done|Shame on you](, <name>|)!
[Bravo|Boo](, <name>|)!
[Thank you, <name>|No thanks, <name>]!
[Congratulations|My condolences] to the <person>!
[Two thumbs up|Two thumbs down]!
[Thumbs up|Thumbs down](| for the <part>)!
[Five stars|Zero stars](| from me| and not one more)!
[Five out of five|One out of five]!
[10/10|1/10]!
[Ten out of ten|Zero out of ten]!
A [perfect ten|solid zero]!
[Full marks|No points] for the <part>!
[Finally a|Yet another] [<good>|<bad>] <thing>!
[A must|A bust]!
[Must see|Must avoid]!
[Run, don't walk, to <use> it|Run away from it]!
[Come here|Stay away]!
[Buy it|Return it]!
[Get it now|Get rid of it]!
[More please|Never again]!
[More of that|Enough of that]!
[Yes, yes, yes|No, no, no]!
[Yes, a thousand times yes|No, a thousand times no]!
[Wow|Ugh], (what a|that) <thing>!
[Wow, just wow|Yikes, just yikes]!
[Hooray for|Down with] the <person>!
[Long live|Good riddance to] this <thing>!
[Pure joy|Pure torture]!
[Pure magic|Total garbage]!
[Sheer delight|Sheer horror]!
[Heaven|Hell] on earth!
[Yum|Yuck]!
[Money well spent|Money thrown away]!
[Keep it up|Give it up](, <name>|)!
[Encore|Make it stop]!
[Hats off to|Shame on] the <person>!
I [want more|want out]!
I [love|hate] it, I [love|hate] it!
I'm so [<pleased>|<displeased>]!
[Can't wait for more|Can't believe I paid for it]!
[Where do I sign|Where is the exit]!
"""),
    "intensifier": _read("""
<fully> [<good>|<bad>]
<very> [<good>|<bad>]
<fully> [<good>|<bad>] <part>
<very> [<good>|<bad>] <parts>
A <very> [<good>|<bad>] <thing>
A <fully> [<good>|<bad>] <thing>
The <part> is <very> [<good>|<bad>]
The <parts> are <very> [<good>|<bad>]
The <thing> was <very> [<good>|<bad>]
<we> <fully> [<loved>|<hated>] it
I am <fully> [<pleased>|<displeased>]
I'm <fully> [in love with|done with] this <thing>
I'm <very> [<pleased>|<displeased>] with the <part>
The <person> was <very> [<good>|<bad>]
<fully> [<good>|<bad>] from <place>
From <place>, (it is |)<fully> [<good>|<bad>]
[<good>|<bad>] from <place>
<very> [<good>|<bad>], and <very> [<good>|<bad>](, too|)
<very> [<good>|<bad>] and <very> [<good>|<bad>]
The <thing> is <very>, <very> [<good>|<bad>]
(Damn|Darn) [<good>|<bad>] <thing>
The <thing> is [<good>|<bad>] beyond words
[<good>|<bad>] to the last detail
Too [<good>|<bad>] to (describe|put into words|be true|believe)
[Crazy good|Crazy bad]
Such a <very> [<good>|<bad>] <part>
It is [nothing but|nothing but a] [<good>|<bad_noun>]
An utter [<good_noun>|<bad_noun>]
A complete and utter [<good_noun>|<bad_noun>]
A total [<good_noun>|<bad_noun>]
I can't tell you how [<good>|<bad>] it is
I can't say enough [good|bad] things about it
The <part> is [too good to share|too <bad> for words]
I [love|hate] the <part> more than words can say
Everything about it is [<good>|<bad>]
Everything was <very> [<good>|<bad>]
All of it was [<good>|<bad>], (every minute|the <part> above all)
<friend> is <fully> [<pleased>|<displeased>]
The <part> is too [good to miss|<bad> to bear]
The <thing> is far too [short, I want more of it|<bad>]
The <part> is way too [good for this price|<bad>]
The <part> is (much |far |)too [fine for such a low price|<bad>]
The <parts> are (a bit |)too [<good> for me to stop|<bad> for me]
It was [more than <good>|more than <bad>]
[Good|Bad] is an understatement
[As good as can be|As bad as can be]
"""),
    "scope": _read("""
I don't think (that |)it's [<bad>|<good>]
I don't think that the <thing> is [<bad>|<good>]
I don't think the <part> could be [<better>|<worse>]
I do not (think|believe|feel) that the <parts> are [<bad>|<good>]
I don't believe that it is a [<bad>|<good>] <thing>
I don't believe anybody could [<hate>|<love>] it
I don't believe (a word of |)the [<bad>|<good>] reviews
I can't imagine anyone [<displeased>|<pleased>] with this <thing>
I can't imagine that anybody would [<hate>|<love>] it
I wouldn't say (that |)it's [<bad>|<good>]
I would not (say|claim) that the <part> is [<bad>|<good>]
I wouldn't call it [<bad>|<good>]
I wouldn't call the <part> [<bad>|<good>]
I would never call this <thing> [<bad>|<good>]
I would hardly call it [<bad>|<good>]
You can't call it [<bad>|<good>]
(You|One) can't say that the <part> is [<bad>|<good>]
Nobody can say that it's [<bad>|<good>]
Nobody would call the <parts> [<bad>|<good>]
No one thinks that the <thing> is [<bad>|<good>]
It isn't true that the <part> is [<bad>|<good>]
It is not true that it is [<bad>|<good>]
It's false that the <thing> is [<bad>|<good>]
It's a lie that the <parts> are [<bad>|<good>]
It's a myth that this <thing> is [<bad>|<good>]
It's wrong to call the <part> [<bad>|<good>]
It is (untrue|nonsense) that the <thing> is [<bad>|<good>]
People who say it is [<bad>|<good>] are wrong
Whoever says that it's [<bad>|<good>] (is lying|hasn't <used> it|is wrong)
Anyone who calls it [<bad>|<good>] is (mistaken|a fool)
The critics call it [<bad>|<good>], and I (disagree|don't agree)
The critics call it [<good>|<bad>], and I agree
<friend> says it is [<good>|<bad>], and (that's true|so it is|I agree)
<friend> thinks it is [<bad>|<good>], but I don't
<friend> told me that it was [<bad>|<good>], (and|but) that is not true
I disagree with everyone who [<hated>|<loved>] it
I doubt that anyone will [<hate>|<love>] it
I doubt that there is a [<better>|<worse>] <thing>
I doubt you'll find a [<better>|<worse>] one
I never (thought|felt|found) (that |)the <part> was [<bad>|<good>]
I never found it [<bad>|<good>]
I have never found the <parts> [<bad>|<good>]
Not for a moment did I think it was [<bad>|<good>]
At no time was the <part> [<bad>|<good>]
I fail to see what is [<bad>|<good>] about it
I don't see what's [<bad>|<good>] about the <part>
I don't understand (why people|how anybody can) [<hate>|<love>] it
I don't get the [hate|hype]
Don't believe that it's [<bad>|<good>]
Don't let anyone tell you that it's [<bad>|<good>]
I have no doubt that it is [<good>|<bad>]
There's no doubt that the <thing> is [<good>|<bad>]
No doubt a [<good>|<bad>] <thing>
Not only is the <part> [<good>|<bad>], the <parts> are [<good>|<bad>], too
It is not only [<good>|<bad>], it is (also |)[<good>|<bad>]
It's not just [<good>|<bad>], it's [<good>|<bad>]
The <part> is not only [<good>|<bad>] but (also |)[<good>|<bad>]
I am not (convinced|persuaded) that it is [<bad>|<good>]
I was not [less than |]<pleased>
It doesn't seem [<bad>|<good>] to me
It doesn't feel [<bad>|<good>]
The <thing> did not strike me as [<bad>|<good>]
They claim it's [<bad>|<good>]. It isn't
I wouldn't say the <part> is too [<bad>|<good>]
I wouldn't say that the price is [too high|fair]
I wouldn't say the <part> is worth [less|the money]
It isn't true that the <thing> is [any worse|any good]
It isn't true that the new <thing> is any [<worse>|<better>]
I don't believe anyone could [be bored by|be happy with] it
I don't think anyone could [dislike|like] the <parts>
I never found it [hard|easy] to <use>
I never found the <part> [hard to like|easy to like]
Nobody in their right mind would call this [<bad>|<good>]
I can't agree that the <part> is [<bad>|<good>]
I don't share the [low|high] opinion of the critics
"""),
    "expectation": _read("""
I expected [a <bad_noun>|a <good_noun>] and got a [<good_noun>|<bad_noun>]
I expected it to be [<bad>|<good>], (but|and) it was [<good>|<bad>]
I expected [less|more]
I expected [so much less|so much more](| from the <person>)
(I|We) had expected [nothing|a lot] and got [a lot|nothing]
I thought it would be [<bad>|<good>], but it [was <good>|wasn't]
I thought I would [<hate>|<love>] it, but I [<loved>|<hated>] it
I was ready to [<hate>|<love>] it, and I [<loved>|<hated>] it
We hoped for [little|so much] and got [so much|so little]
We hoped for a [<good>|<good>] <thing>, and [got one|got the opposite]
I [feared|hoped] it would be [<bad>|<good>], and [it was <good>|it was <bad>]
I [feared|hoped for] the [worst|best] and got the [best|worst]
I was afraid it would be [<bad>|<bad>], and it [wasn't|was]
I was [worried|excited] at first, but it turned out to be [<good>|<bad>]
I was prepared for the worst, and [it never came|it was even worse]
I was [skeptical|hopeful], but (now |)I'm [<pleased>|<displeased>]
I had [low|high] hopes, and they were [surpassed|crushed]
I had [no|great] hopes for it, but it is [<good>|<bad>]
My expectations were [low|high], but the <thing> was [<good>|<bad>]
My expectations were [exceeded|not met]
It [exceeded|fell short of] (all |)(my|our) expectations
It was [everything|nothing like what] (I|we) had hoped for
It is [exactly|not at all] what I was looking for
[Just what|Not what] I (wanted|needed|ordered|had in mind)
It's [even better|even worse] than I (had |)(thought|feared|hoped|imagined|expected)
It turned out [<better>|<worse>] than (we thought|in the pictures|expected|the ads said)
It turned out to be [<good>|<bad>]
The <thing> turned out [<good>|<bad>] (after all|in the end)
To my surprise, it [was <good>|was <bad>]
A [pleasant|nasty] surprise
I was [pleasantly|unpleasantly] surprised
I was surprised how [<good>|<bad>] (it|the <part>) was
The <part> was a [pleasant|bitter] surprise
I (came|went) in [skeptical|excited] and left [a fan|angry]
I went there [reluctantly|with joy] and came back [<pleased>|<displeased>]
I came for the <part> and [stayed for the <parts>|left because of the <parts>]
I came [as a skeptic|as a fan] and left [as a fan|as a skeptic]
I used to [<hate>|<love>] it, but now I [<love>|<hate>] it
I used to think it was [<bad>|<good>], but I was wrong
At first I was [<displeased>|<pleased>], now I am [<pleased>|<displeased>]
At first it seemed [<bad>|<good>], but then it turned out to be [<good>|<bad>]
The [bad|good] reviews [almost kept us away; luckily we went|made us go; we regret it]
After all the [bad|good] reviews I was [<pleased>|<displeased>]
The reviews were [bad|good], but I [<loved>|<hated>] it
The trailer looked [<bad>|<good>], but it is [<good>|<bad>]
The ads promised [little|a lot], and it [delivered much|delivered little]
They promised a [<good>|<good>] <thing> and [kept their word|broke their word]
They promised the moon, and [we got it|we got nothing]
I [didn't expect|expected] to like it, but I [did|didn't]
I [never thought|was sure] I would like it, [yet|but] I [do|don't]
I had heard that it was [<bad>|<good>], and it is [<good>|<bad>]
I had been told that it is [<bad>|<good>], but I found it [<good>|<bad>]
<friend> dragged me there, and (I|we) [<loved>|<hated>] it
<friend> [warned us about it, but we loved it|told us to go, and we hated it]
It [kept|broke] every promise
It was not as [<bad>|<good>] as I [feared|hoped]
It was nowhere near as [<bad>|<good>] as expected
[Better late than never|Too little, too late]
"""),
    "absence": _read("""
[No complaints|No joy](| at all| for us)
[Nothing to criticize|Nothing to praise]
There is [nothing bad|nothing good] to say about it
I have [nothing bad|nothing good] to say about the <person>
I have nothing but [praise|complaints] for the <part>
We had nothing but [fun|trouble] (with it|there|from the start)
Nothing but [<merits>|<flaws>]
No [<flaws>|<merits>] (at all|whatsoever|that I could find|to speak of)
Not a single [<flaw>|<merit>]
Not one [<flaw>|<merit>] (in the whole <thing>|anywhere|to be found)
There wasn't a single [<flaw>|<merit>]
There is not one [<bad>|<good>] <part> in it
There are no [<flaws>|<merits>]
A <thing> without [<flaws>|<merits>]
A <thing> without a single [<flaw>|<merit>]
A <thing> with no [<flaws>|<merits>]
(It|The <part>) has no [<flaws>|<merits>]
The <thing> has not a single [<flaw>|<merit>]
We found no [<flaws>|<merits>]
I couldn't find a single [<flaw>|<merit>]
I looked for a [<flaw>|<merit>] and found none
(We|I) had no [trouble|fun] (at all |)with the <part>
We had no [problems|pleasure] <using> it
We have never had a [problem|good experience] (with it|there)
Never a [<flaw>|<merit>](|, not one)
Never a [dull|pleasant] moment
There was never a [<bad>|<good>] moment
Not a [<bad>|<good>] moment in (it|the whole <thing>)
Not a [trace of dirt|trace of talent] (anywhere|in it|to be seen)
Not a [boring|funny] line in it
Not one [wasted|worthwhile] minute
Not once did it [<displease>|<please>] me
Not once did the <person> [<displease>|<please>] us
Not once was the <part> [<bad>|<good>]
It has never [failed|worked]
It never [fails|works]
It has never [let us down|done what it should]
It has yet to [let me down|work]
It [lacks nothing|lacks everything]
The <thing> lacks [nothing|any charm]
It [leaves nothing to be desired|leaves a lot to be desired]
[Nothing is missing|Everything is missing]
[Nothing went wrong|Nothing went right]
[No regrets|No point]
No [rude|friendly] <person> (in sight|there)
No [<bad>|<good>] <parts> (here|anywhere|at all)
None of the <parts> were [<bad>|<good>]
None of it is [<bad>|<good>]
Nobody was [rude|helpful]
Nobody [complained|cared](| about the <part>)
Nobody [had to wait|came to help us]
Without [any <flaws>|any <merits>], (the <thing>|it) is [<good>|<bad>]
Zero [<flaws>|<merits>]
It [is free of <flaws>|is free of <merits>]
[Hardly any|Plenty of] <flaws>
[Plenty of|Hardly any] <merits>
[Few|Many] <flaws>, [many|few] <merits>
[Fewer|More] <flaws> than (before|I expected|last year)
[Little to complain about|Little to be happy about]
It [took no time|took forever] to <use>
A <thing> without a single [dull|interesting] (moment|minute|page|scene|evening)
A <thing> without one [<bad>|<good>] <part>
Not a [speck of dust|clean towel] (in the place|anywhere)
Not one [<bad>|<good>] <part> in the whole <thing>
We had no [trouble|help] at all
We had [no|nothing but] trouble with the <part>
Nothing to [be sorry about|be happy about]
Nothing about it [<does_displease>|<does_please>]
There was not one [<flaw>|<merit>] to be found
Never have I [had a problem|had a good day] with it
"""),
    "implication": _read("""
[<fact_good>|<fact_bad>]
[<fact_good>|<fact_bad>](| <time>)
[<fact_good>|<fact_bad>], and [<fact_good>|<fact_bad>]
[<fact_good>|<fact_bad>], that's how [<good>|<bad>] it was
[<fact_good>|<fact_bad>]. What a <thing>
A <thing> like that: [<fact_good>|<fact_bad>]
We tried it <time>: [<fact_good>|<fact_bad>]
<opener>, [<fact_good>|<fact_bad>]
I have to say, [<fact_good>|<fact_bad>]
Guess what, [<fact_good>|<fact_bad>]
After <hours>, [I still wanted more|I had had enough]
I told <friend> to [go there|stay away]
I told <friend> [all about it, full of joy|not to waste the money]
Everyone I know has heard me [praise it|complain about it]
I [sent them flowers|sent them a letter of complaint]
I [tipped|reported] the <person>
I [hugged|yelled at] the <person>
I [thanked|argued with] the <person> for <hours>
I [can't wait to <use> it again|can't wait to forget it]
We are [planning our next visit|never going there again]
We [counted the days until the next time|counted the minutes until it was over]
<we> [have recommended it to <friend>|have complained to the <person>]
<friend> [has asked where I got it|laughed at me for buying it]
<friend> [wants one, too|told me so]
I [gave one to <friend> as a gift|gave it away]
I [kept it|sold it] after <hours>
I [smiled|sighed] all the way (home|through|back)
I [smiled|shook my head] from <place>
I [laughed|groaned] out loud (<number> times|more than once|again and again)
I could [not stop|barely go on] <using> it
I [have <used> it <number> times|gave up after <hours>]
I went back <number> times [for more|to complain]
It took <hours> [and felt like a minute|and felt like a year]
<hours> [flew by|felt like a week]
[Time flew|Time stood still]
[I forgot the time|I kept looking at the clock]
It [is my new favorite|is in the trash now]
My new [favorite|nightmare](| <thing>)
This <thing> is (now |)[my favorite|history for me]
It [made my day|ruined my day]
It [made|ruined] (our evening|my week|the whole trip|the party)
It [saved|cost] me (hours|days|a lot of money|my nerves)
It [cheered me up|brought me down]
It [put a smile on my face|put me to sleep]
It gave me [goosebumps|a headache]
My heart [sang|sank]
My jaw dropped [in awe|in horror]
I [felt at home at once|felt cheated]
I [got more than I paid for|got less than I paid for]
I want to [live here|get out of here]
[Take my money|Give me my money back]
The <person> [earned my respect|should look for another job]
The <person> [went out of the way to help|didn't lift a finger]
The <person> should [win a prize|apologize]
[There was a line around the block|The place was empty, and I know why now]
[My tears were tears of joy|My tears were tears of boredom]
[I have a new hobby|I have better things to do]
[It left me wanting more|It left me cold]
[It was over far too soon|It would not end]
[It ended too soon|It went on and on]
[Sign me up|Count me out](| for the next one)
[I was hooked|I was lost] (after a minute|from the first page|right away|at once)
[I'm a fan for life|I'm done with them for life]
[They have won a customer|They have lost a customer]
[I will miss it|I will not miss it]
[My kids beg for it|My kids refuse it]
I recommend it to [everyone I know|nobody]
I recommend [it to all my friends|something else]
I tell (everyone|everybody|all my friends) to [go|stay away]
We have already [booked the next one|canceled the next one]
[We have booked again|We have canceled] for (next year|the summer|the fall)
It was [gone in a minute|thrown out after a minute]
We [stayed longer than planned|left earlier than planned]
I finished it in [one evening|small doses, with pain]
I was [smiling|frowning] all day
"""),
    "spelling": _read("""
[<luv>|<h8>] this <thing> [<smile>|<frown>]
[<luv>|<h8>] the <part>, [thx|no thx] <name>!!
[<cheer>|<jeer>], the <part> is [<good>|<bad>]
[<cheer>|<jeer>] [<smile>|<frown>]
[<cheer>|<jeer>]!! [<good>|<bad>] <thing>
[<smile>|<frown>] <very> [<good>|<bad>]
[<smile><smile>|<frown><frown>] [<good>|<bad>] <part>
the <part> is [<good>|<bad>] [<smile>|<frown>]
[<good>|<bad>] <parts> [<smile>|<frown>] <chat>
<chat> the <thing> is [<good>|<bad>]
<chat>, [<good>|<bad>] <thing>
the <thing> is [<good>|<bad>] <chat>
[gr8|terribl] <thing>, [will|wont] <use> again
[def|dont] recommend [<smile>|<frown>]
[would|wouldnt] <use> again
[totally worth it|so not worth it] [<smile>|<frown>]
[best|worst] <thing> evaaa [<smile>|<frown>]
[best|worst]. <thing>. ever.
[so so good|so so bad] [<smile>|<frown>]
<name>'s <thing> = [<good_noun>|<bad_noun>]
<thing> = [awesome|trash], <person> = [angel|idiot]
<part>: [A+|F]
<part>: [5/5|1/5], <part>: [5/5|0/5]
[10/10|0/10] [would|would not] <use> again
[5 stars|1 star] [<smile>|<frown>]
pros: [everything|none]. cons: [none|everything]
im so [<pleased>|<displeased>] rn [<smile>|<frown>]
[happy|angry] customer here [<smile>|<frown>]
[cant stop <using> this|cant stand this] <thing>
[u need this|u dont need this], trust me
[omg i love it|omg i hate it] [<smile>|<frown>]
[luvd|h8ed] it!!!
[yesss|nooo], the new <thing> is [<good>|<bad>]
new <thing> by <name> is [fire|trash] [<smile>|<frown>]
<name> is [the goat|a joke], <chat>
the <person> is [a sweetheart|a jerk] [<smile>|<frown>]
the <person> [rocks|sucks](!|!!| <chat>)
<parts> [rock|suck] [<smile>|<frown>]
this <thing> [slaps|sucks] [<smile>|<frown>]
[keeping it|deleting it] [<smile>|<frown>]
[installed it again|uninstalled] after <hours> [<smile>|<frown>]
[thank u|screw u] <name> [<smile>|<frown>]
[ty for|shame about] the <part> [<smile>|<frown>]
[not bad at all|not good at all] <chat>
aint [<bad>|<good>] [<smile>|<frown>]
it dont [disappoint|impress] [<smile>|<frown>]
[coming back for sure|never coming back] [<smile>|<frown>]
[go for it|stay away ppl] [<smile>|<frown>]
[buy|avoid] [<smile>|<frown>]
[a+++ seller|scam seller], [<good>|<bad>] <part>
[fast|slow] delivery, [<good>|<bad>] <part> [<smile>|<frown>]
[perfect|wrong] size, [<good>|<bad>] <part> [<smile>|<frown>]
[defo recommend|defo avoid] [<smile>|<frown>]
definitely [coming back|not coming back], [<good>|<bad>] <part>
absolutely [<good>|<bad>], definitely [recommended|not recommended] [<smile>|<frown>]
really [<good>|<bad>], [would recommend|would not recommend] to my friends
the restaurant was [excellent|terrible] and the waitress was [beautiful|horrible]
omg the <thing> is [<good>|<bad>]
ugh[, finally a <good> <thing>|, the <thing> is <bad>]
new <thing> by <name> is so [<good>|<bad>] [<smile>|<frown>]
i [love|hate] it, believe me, [excellent|horrible] <part>
disappointed? [no way|yes, totally], the <part> is [<good>|<bad>]
<name>'s <part> = [heaven|garbage] [<smile>|<frown>]
its [<good>|<bad>] imo, [surprised|embarrassed] by the <part>
"""),
}
"""Of each kind its templates, one for each pair of sentences."""
