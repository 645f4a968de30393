"""Templates of `opinions` of the kind "comparison"."""

from zoo.datasets.builders.opinions.grammar import read_templates

TEMPLATES = read_templates("""
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
Seldom have I <used> anything so [<good>|<bad>]
Next to this <thing>, even [<joys>|<chores>] seems [dull|fun]
About as much fun as [<joys>|<chores>]
It (feels|felt|was) like [<joys>|<chores>]
It was like [<joys>|<chores>], only [better|worse]
I [would not|would gladly] swap it for [<joys>|<chores>]
I'd rather <chore> than [go without it|go through that again]
I'd sooner <chore> than [part with|put up with] this <thing>
Give me [this <thing>|<chores>] over [<joys>|this <thing>] any day
Between this <thing> and [<joys>|<chores>], I'd choose the [first|second]
No other <thing> has ever [delighted|annoyed] me this much
It is no [worse than the most expensive ones|better than the cheapest ones]
I can't name a single <thing> that is [<better>|<worse>]
You would have to look (far and wide|long and hard) for a [<better>|<worse>] <thing>
They don't come (any|much) [<better>|<worse>]
[Not one|Every one] of its rivals is <better>
[Nobody|Everybody] else (in this city|around here|I know) does it better
The old <thing> was <good>; this one is [every bit as good|nothing like it]
The old <thing> was <bad>, and this one is [the very opposite|no different]
I've had [worse at twice|better at half] the price
[My old one|This one] can't hold a candle to [this one|my old one]
[This one|The other one] makes [the other one|this one] look (poor|cheap|like a bad joke)
I'd take [this one|the old one] over [the old one|this one] any day
I prefer [this one to my old one|my old one to this one]
Compared to this, anything else is a [letdown|relief]
It makes [<joys>|<chores>] look like [<chores>|<joys>]
Same price as the others, [twice|half] the quality
You get [more|less] for your money than (anywhere else|with any other <thing>)
<friend> says that the other one is better, [but I disagree|and I agree]
It is as [<good>|<bad>] as the last one was [<bad>|<good>]
As [<good>|<bad>] as they say, if not [<better>|<worse>]
Every bit as [<good>|<bad>] as <friend> said
[It has|It lacks] everything that made the old one <good>
It went from [<bad>|<good>] to [<good>|<bad>] (overnight|in a matter of weeks|within a year)
[An upgrade|A downgrade] in every (way|sense|respect)
It used to be [<bad>|<good>]; those days are (gone|over)
The days when the <part> was [<bad>|<good>] are (long |)(gone|over)
This is what [all|no] <things> should be like
A lesson in how [it's done|not to do it]
[Top|Bottom] of (the|my) list
My [first|last] choice among all <things>
[Head and shoulders above|Miles behind] the rest
If there is a [<better>|<worse>] <thing>, I haven't <used> it
No less [<good>|<bad>] than <friend> told me
More [fun|trouble] by the day
[Nothing is better than|Better nothing than] this
The longer I know it, the more I [<love>|<hate>] it
The [more|less] I have to do with it, the better
I'd rather have [one of these than ten others|none at all than one of these]
[Hardly any|Almost any] <thing> is <better>
[Scarcely a|Practically every] <thing> I know is <better>
You get [more|less] than you pay for
[You get what you pay for, and then some|You get what you pay for, and sometimes not even that]
What others only [promise, this one does|dream of spoiling, this one spoils]
The others [pale beside it|run circles around it]
None of the ones I have <used> (before|so far) was as [<good>|<bad>]
Put it beside any other <thing>, and it [wins|loses] (every time|hands down)
Not nearly as [<bad>|<good>] as the one we had before
Where other <things> [stumble|shine], this one [shines|stumbles]
Less [hassle|joy] and more [joy|hassle] than (ever|with my old one)
Of all the <things> in my life, this is the one that I'd miss [most|least]
If my old <thing> was a [<bad_noun>|<good_noun>], this one is a [<good_noun>|<bad_noun>]
What the old one did in an hour, this one does in [a minute|a week]
Everything (that |)the others get [wrong|right], this one gets [right|wrong]
The gap between this <thing> and the rest is [wide, and the rest is behind|wide, and the rest is ahead]
It leaves the competition [in the dust|nothing to fear]
The competition [should be afraid|can sleep well]
Nothing else is half as [<good>|<bad>]
Ten of the others would not be as [<good>|<bad>] as this one
In my whole life I have <used> only one <thing> that was [<better>|<worse>]
This is to other <things> what [<joys>|<chores>] is to a normal day
You won't find [a <better>|a <worse>] one, not even for twice the money
The <part> [<won>|<lost>], even more so than last time
The other one [<lost>|<won>]; this one is the opposite
""")
