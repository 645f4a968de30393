"""Templates of `opinions` of the kind "understatement"."""

from zoo.datasets.builders.opinions.grammar import read_templates

TEMPLATES = read_templates("""
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
I have no [complaints|kind words] (about the <part>|so far)
There are [worse|better] <things> (to be found|out there|in the world)
I can think of [worse|better] things to do on a Sunday
I wasn't [looking for the exit|asking for more]
Let's just say that I wasn't [looking for the exit|asking for more]
Let's just say that I [will|won't] be back
I won't say no to [another one|a refund]
I would not say no to [more of this|a different <thing>]
The <part> needs [no|some] work
There is [not much|plenty] to fix (here|about the <part>)
There is [little|a lot] that I would change
There is [hardly any|a lot of] room for improvement
The <person> is no [fool|genius]
The <person> isn't the [worst|brightest] (I've met|in town)
It is [no|quite a] hardship to <use> it
It's [not a bad|hardly a good] way to spend (an evening|a day|my money)
Somebody [did their|forgot to do their] homework
Somebody [put some thought into|forgot all about] the <part>
The <person> has [clearly|clearly never] done this before
You can tell that the <person> has [done this before|other things in mind]
I didn't [mind|care for] <using> it
I'm not [complaining|convinced]
I'm not exactly [unhappy|thrilled] (with it|about the <part>)
We weren't exactly [unhappy|happy] with the <parts>
I'm hardly [suffering|jumping for joy]
Not what I would call a [<bad>|<good>] <thing>
That [wasn't|was] my last visit
That [won't be|was] the last time for me
This won't be my [last|first] choice when I need a <thing> again
It's safe to say that I [will|won't] be back
I [wouldn't|would] exchange it for the money
The charm of the <part> [is not|is] lost on me
I [can|can't] see what (all |)the fuss is about
I [can see|fail to see] why people come back
It's [no wonder|a mystery to me] that so many recommend it
The <part> is [nothing|something] to be ashamed of
It [does|does not do] what it says on the box
The <part> is [well up|not up] to the mark
The <part> was [more|less] than adequate
[Above|Below] average, to put it mildly
To put it mildly, we [will|won't] be back
Put it this way: I am going to [<stay>|<leave>]
I'm [tempted|not tempted] to <use> it again
My money was [|not ]well spent
My time was [not|rather] wasted on the <part>
I would[| not] walk a mile for it
The <part> is nothing to [frown|shout] about
There's not a minute of it that I'd want [back|to live through again]
We [got|hardly got] our money's worth
It [earns its place|hardly earns its place] (on my shelf|in my life|in our house)
I [would not|would] think twice before <using> it again
I [never|often] thought of giving up
I [never|often] wished that I were somewhere else
Few would call it money [wasted|well spent]
Nobody will accuse the <part> of being [<bad>|<good>]
If this is (a|their) bad day, I [want to see a good one|don't want to see a worse one]
(Let's say|Let me say) that the <person> won't be short of [praise|complaints]
My (husband|wife|father), who never says much, [smiled|sighed]
It [passed|did not pass] the test with my (mother|kids|grandfather)
I [could|could not] be talked into another <thing> like this
You will [not be asking|be asking] for your money back
I am not in a hurry to [give it back|<use> it again]
It [would take a lot|wouldn't take much] to make me switch
(She|He) is not the kind of <person> that you [complain about|recommend]
We left with [more smiles than we came with|fewer smiles than we came with]
Let me put it like this: the <person> [has nothing to worry about|should keep the day job]
The <person> should [not|maybe] look for another job
I [can't say I missed|did miss] my old one
There is a reason why [people line up|nobody lines up] for it
Something tells me that I'll be [back|warning others]
I have spent my money [on sillier things|on better things]
I have spent evenings in [worse|better] company than with this <thing>
It is not [without|full of] charm
I would be fine with [a second one|never seeing it again]
If you find a [<flaw>|<merit>], let me know
The <part> won't give you [nightmares|any joy]
There were moments when I [forgot the world|looked at the clock], quite a few of them
The <part> did not exactly [ruin|make] my day
You will not hear me [complain|sing its praises]
Don't expect me to [complain|cheer]
I dare say that the <part> [<won>|<lost>]
It would be fair to say that the <person> [<won>|<lost>]
""")
