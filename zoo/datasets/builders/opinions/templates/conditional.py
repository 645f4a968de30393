"""Templates of `opinions` of the kind "conditional"."""

from zoo.datasets.builders.opinions.grammar import read_templates

TEMPLATES = read_templates("""
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
I would have <stayed> if [<obstacle>|the <part> had been <better>]
Had [there been more time|the <part> been <better>], I would have <stayed>
We would have [missed a lot|enjoyed ourselves] had we not <used> it
If it hadn't been for [<ties>|the <bad> <part>], I would have <stayed>
Were it not for [<ties>|the <bad> <part>], I would <stay>
But for [<ties>|the <bad> <parts>], I would have <stayed>
If it had been any [<better>|<worse>], I would have cried (all day|out loud|on the spot)
Any [<better>|<worse>], and I would have cried with [joy|rage]
I would <stay> [even if it cost double|only if they paid me]
I wouldn't [part with|want] it if you paid me
You couldn't pay me to [part with it|<use> it again]
If I have one regret, it is that I [waited so long|fell for it]
If I had to choose again, I would choose [the same|anything else]
If I had a penny for every [smile it gave me|time it let me down], I'd be rich
Should you get the chance, [take it|run]
Should anyone offer you this <thing>, say [yes|no]
If you ask me, [it's a yes|it's a no]
If there's one thing you should [not miss|avoid], it's this <thing>
If you <use> only one <thing> this year, [make it|don't make it] this one
If you want a <good> <thing>, look [no further|elsewhere]
If you value [quality|your nerves], [get this|avoid this] <thing>
Unless you [have something against joy, <use> it|have no other choice, leave it alone]
I don't know how I ever managed [without|with] it
As long as the <part> is this [<good>|<bad>], I will [be a happy customer|look elsewhere]
I will [<stay>|<leave>] the moment I can
I wish I had [<used> it sooner|never <used> it]
I wish [every <thing> were like this one|this one were like any other <thing>]
If only I could [do it all again|undo it]
If only I had known [about it sooner|better]
Had it been [half|twice] as <good>, I would still have [<stayed>|<left>]
Even at [twice|half] the price, I would [<stay>|<leave>]
Anyone who [misses|chooses] this <thing> will regret it
You would regret [missing|choosing] it
You'd be a fool to [miss|trust] this <thing>
You would be (crazy|silly) to [pass it up|give it a chance]
Wild horses couldn't drag me [away|back]
It would be [unfair to call it <bad>|generous to call it <good>]
They could charge [double|nothing], and I would still say [yes|no]
They ought to [promote|replace] the <person>
They should have [promoted|replaced] the <person> long ago
It might as well have been made [just for me|by a child]
If I could, I'd give it [a sixth|not even one] star
If this is the future, count me [in|out]
I hope that they [never|soon] change the <part>
I hope that I [never have to do without it|never have to see it again]
Next time, I will [take my whole family|take my money elsewhere]
Given another chance, I would [<stay>|<leave>]
If I could turn back time, I would do the [same again|opposite]
If they go on like this, they will [win every prize|go out of business]
If it were gone tomorrow, I would [cry|cheer]
If it were gone tomorrow, [everybody would miss it|nobody would notice]
If I [gave it up|kept it], I would regret it
I can't imagine going [back to a life without it|through that a second time]
It would have been worth [twice the money|the money if anything had worked]
It would have been <good> [even with|if not for] the <bad> <part>
You should have seen us, all [smiles|frowns]
Would that [all <things> were|the <part> had been] this <good>
Supposing you [missed|own] it, you have my pity
If the <person> [quits, so will I|stays, I won't]
When in doubt, [go for it|leave it]
If you haven't <used> it yet, [hurry|lucky you]
(He|She) would [never|gladly] give it away
If my (boss|aunt|neighbor) offered me another <thing> like this, I would [jump at it|run for it]
If the <part> [<won>|<lost>], it was because of the <person>
If I had followed my (heart|gut), I would have [<stayed>|<left>]
If my (kids|parents) had had their way, we would [still be there|have left at once]
Even if you don't like <things>, [try|beware of] this one
If I were you, I would [go for it|keep my distance]
If I were them, I would [be proud|be ashamed]
Unless they [change it, I'll be back|change it, I won't be back]
Until they [close|fix the <part>], I will [be a regular|stay away]
Had I listened to the [bad|good] reviews, I would have [missed|wasted] (a lot|so much)[| of money]
It would have been a [shame|blessing] to miss it
Missing it would have been a [pity|blessing]
Try it once, and you will [want it again|never want it again]
""")
