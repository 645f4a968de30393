"""Templates of `opinions` of the kind "contrast"."""

from zoo.datasets.builders.opinions.grammar import read_templates

TEMPLATES = read_templates("""
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
Despite [<minus>|<plus>], [<fact_good>|<fact_bad>]
[<fact_good>|<fact_bad>], despite [<minus>|<plus>]
In spite of [<minus>|<plus>], it [<suits>|<puts_off>]
[<minus>|<plus>] aside, it [<suits>|<puts_off>]
Apart from [<minus>|<plus>], there was (hardly anything|nothing) to [complain about|praise]
Apart from [<minus>|<plus>], it was a [<good_noun>|<bad_noun>]
Not even [<minus>|<plus>] could [spoil|save] (this <thing>|it)
Though the <part> is nothing to [write home about|complain about], the <parts> [<work>|<fail>]
[<good>|<bad>] all round, except for [<minus>|<plus>]
[Pity about <minus>|I'll grant them <plus>], but [<fact_good>|<fact_bad>]
[<bad>|<good>] <part>, but what a [<good>|<bad>] <thing>
[Great|Awful] <thing>, even with [<minus>|<plus>]
[Shame about the <parts>, but a <good> <thing>|<good> <parts>, but shame about the <thing>]
At first I [cursed <minus>|fell for <plus>], but see what happened: [<fact_good>|<fact_bad>]
It started [badly|well] enough, yet by the end I was [<pleased>|<displeased>]
The first impression was [<bad>|<good>]; after that, everything was [<good>|<bad>]
You'd (never|hardly) guess it from [<minus>|<plus>], but [<fact_good>|<fact_bad>]
Don't let [<minus>|<plus>] fool you: [<fact_good>|<fact_bad>]
Don't be [put off|taken in] by [<minus>|<plus>]. It [<suits>|<puts_off>]
He [moaned about <minus>|raved about <plus>], yet even he had to admit that it was [<good>|<bad>]
They all [moaned|raved] about it, yet she was [<pleased>|<displeased>]
I [could have done without <minus>|quite liked <plus>], but it [<suits>|<puts_off>]
Granted, the <part> is [<bad>|<good>]. Even so, I have [<stayed>|<left>]
The <part> is [<bad>|<good>]; nevertheless, I will [<stay>|<leave>]
Nothing about it is [perfect|terrible], and still I would [gladly|never] <use> it again
Yes, I know about [<minus>|<plus>]. But [<fact_good>|<fact_bad>]
[<bad>|<good>]? The <part>, (maybe|perhaps). The <thing>, never
The <part> was so [<good>|<bad>] that (I|we|everyone) soon forgot [<minus>|<plus>]
Even [<minus>|<plus>] couldn't [dampen our joy|cheer us up]
It takes more than [<minus> to spoil|<plus> to save] a <thing> like this
<friend> [<hated>|<loved>] it; I, on the other hand, was [<pleased>|<displeased>]
Everyone [moaned|raved] about it, yet for us it was a [<good_noun>|<bad_noun>]
It's [nothing|lovely] to look at, but it [<suits>|<puts_off>]
On paper it has [little|a lot] going for it, in practice it [<suits>|<puts_off>]
However [<bad>|<good>] the <part> may be, I would [always|never] choose it again
As [<bad>|<good>] as the <part> was, we would [always|never] pick it again
[<bad>|<good>] though the <part> was, we were (all |)[<pleased>|<displeased>]
Not that the <part> was [<good>|<bad>], but the <parts> were, and that [made|ruined] my day
It's easy to [overlook <minus> when|fall for <plus> until] you see how [<good>|<bad>] the rest is
The only [drawback|consolation] was [<minus>|<plus>]
I have (just|only) one [complaint|compliment], [<minus>|<plus>]; the rest was [<good>|<bad>]
[No|All] frills, [all|no] heart
[Little show, lots of substance|Lots of show, little substance]
[Cheap|Ugly] it isn't, but it [<suits>|<puts_off>]
Instead of [complaining about <minus>|enjoying <plus>], I sat there [smiling|cursing]
Rather than [dwell on <minus>|praise <plus>], let me say (this|it plainly): it [<suits>|<puts_off>]
Still [a|no] favorite of mine, in spite of [<minus>|<plus>]
Never mind [<minus>|<plus>]. [<fact_good>|<fact_bad>]
Once you [get over <minus>|look past <plus>], it is (simply |just |)[<good>|<bad>]
Sure, the <part> was [<bad>|<good>], but [<fact_good>|<fact_bad>]
The <part> [let me down|won me over] for a moment, then the <parts> [lifted me up again|spoiled it all]
[Two|Eight] points for the <part>, [ten|one] for everything else
[<bad>|<good>] <part>. Everything else, [<good>|<bad>]
The <part> was [<bad>|<good>], which did little to [spoil|rescue] a [<good>|<bad>] <thing>
A [<good>|<bad>] <thing>, [<minus>|<plus>] notwithstanding
A [<good>|<bad>] <thing>, if you [forgive|disregard] [<minus>|<plus>]
[<fact_good>|<fact_bad>], and not even [<minus>|<plus>] could change that
I [like|dislike] it all the same, [<bad>|<good>] <part> or not
We got off to a [bad|good] start with the <person>, but parted [as friends|in anger]
They [broke|kept] one promise and [kept|broke] all the others
One [slip|bright spot] in a whole year of [joy|trouble]
[<minus>|<plus>], yes, but also [<good>|<bad>] <parts> and a [<good>|<bad>] <person>
You notice [<minus>|<plus>] first, and then how [<good>|<bad>] everything else is
I had one bad [moment|year] with it and one good [year|moment]
First came [<minus>|<plus>], then came [the fun|the trouble]
Was the <part> [<bad>|<good>]? Yes. Did it [matter|help]? No
Was the <part> [<bad>|<good>]? A little. Was the <thing>? Not at all
Some will [complain about <minus>|praise <plus>]. Me, I have [<stayed>|<left>]
Two things were [<bad>|<good>], the <part> and the <parts>; everything else was [<good>|<bad>]
If only the [<part>|rest] were as good as the [rest|<part>]!
The <part>? [<bad>|<good>]. The <parts>? [<bad>|<good>]. And yet we were [<pleased>|<displeased>]
True, [<minus>|<plus>] [put me off|drew me in] at first, but [<fact_good>|<fact_bad>]
After <hours> I wanted to [give up|cheer]. After a (day|week) I wanted to [cheer|give up]
What [bothered|pleased] me at first no longer does: I [<love>|<hate>] it now
Between [<minus>|<plus>] and the <part>, I had [little hope|high hopes], and yet [<fact_good>|<fact_bad>]
Call it [<bad>|<good>] if you like, but I [<loved>|<hated>] it
Say what you want about [<minus>|<plus>], it [<suits>|<puts_off>]
The critics [tore it apart|praised it to the skies], and still (I|we) [loved|hated] every minute
Even the [harshest|kindest] critic has to admit that it is [<good>|<bad>]
The <part> is the exception: everything else [delights|annoys]
It is not [pretty|ugly], it is not [cheap|expensive], but it [<suits>|<puts_off>]
It is neither [pretty|ugly] nor [cheap|expensive], yet it [<suits>|<puts_off>]
The <person> was all [thumbs|smiles], but the <part> was [<good>|<bad>]
(Slowly|Little by little) it went from [<bad>|<good>] to [<good>|<bad>]
All is [forgiven|in vain]: [<minus>|<plus>] can't change that it is [<good>|<bad>]
Yesterday it was [<bad>|<good>]. Today it is [<good>|<bad>], and that is what counts
Whatever you have heard about [<minus>|<plus>], [<fact_good>|<fact_bad>]
A <thing> with [two faults|two strengths] and a hundred [strengths|faults]
(Yes|Sure), it [costs more|costs less]. It is also [<better>|<worse>]
Did [<minus> bother|<plus> please] me? Not really. [<fact_good>|<fact_bad>]
I'm [no|a big] fan of <things>, but this one [I <love>|I <hate>]
It's the kind of <thing> that [annoys|charms] you for an hour and [charms|annoys] you for life
[Rough|Shiny] on the outside, [golden|rotten] on the inside
The <part> [<lost>|<won>], but the <parts> were so [<good>|<bad>] that (nobody|hardly anyone) noticed
The <part> [<lost>|<won>], but the <thing> as a whole [<won>|<lost>]
While the <part> [<lost>|<won>], the <thing> as a whole [<won>|<lost>]
The <thing> [<won>|<lost>], even though the <part> [<lost>|<won>]
The <thing> [<won>|<lost>], and it hardly mattered that the <part> [<lost>|<won>]
I don't care that the <part> [<lost>|<won>]: the <thing> [<won>|<lost>]
It's true that the <part> [<lost>|<won>]. Even truer is that the <thing> [<won>|<lost>]
If you ask (him|her|my wife), the <part> [<lost>|<won>]. If you ask me, the whole <thing> [<won>|<lost>]
It is soon forgotten that the <part> [<lost>|<won>], because the rest [<won>|<lost>]
We were [<pleased>|<displeased>], although the <part> [<lost>|<won>]
I was [<pleased>|<displeased>] all the same, even if the <part> was [<bad>|<good>]
Admittedly, the <part> [<lost>|<won>]. On balance, though, the <thing> [<won>|<lost>]
It [<suits>|<puts_off>], even if the <part> [<lost>|<won>]
We [loved|hated] it, although (everyone|half of us) [complained about <minus>|liked <plus>]
""")
