namespace DistributedBackprop.Training.Data;

/// <summary>
/// How people write the ten digits: for each digit two or three variants, for each variant strokes, for each stroke the
/// points (x, y) that a pen passes, in a box with corners (0, 0) at the upper left and (1, 1) at the lower right. A
/// stroke runs smoothly through its points; where the pen turns a corner, a new stroke begins.
/// </summary>
internal static class DigitGlyphs
{
    /// <summary>Points of the longest stroke are at most this many.</summary>
    public const int StrokePointsMax = 16;

    /// <summary>[digit][variant][stroke][x0, y0, x1, y1, …]</summary>
    public static readonly float[][][][] All =
    [
        [
            [[.5f, 0, .15f, .2f, .05f, .5f, .15f, .8f, .5f, 1, .85f, .8f, .95f, .5f, .85f, .2f, .5f, 0]],
            [[.6f, .02f, .3f, .15f, .2f, .5f, .25f, .85f, .5f, 1, .75f, .85f, .8f, .5f, .7f, .15f, .45f, .05f]],
            [[.75f, .1f, .45f, 0, .1f, .3f, .08f, .7f, .4f, 1, .8f, .85f, .95f, .45f, .8f, .12f, .55f, .06f]],
        ],
        [
            [[.5f, 0, .5f, .5f, .5f, 1]],
            [[.25f, .25f, .52f, 0], [.52f, 0, .5f, .5f, .5f, 1]],
            [[.28f, .2f, .5f, 0], [.5f, 0, .5f, .5f, .5f, 1], [.22f, 1, .8f, 1]],
        ],
        [
            [[.1f, .25f, .3f, .03f, .7f, .03f, .88f, .28f, .6f, .62f, .1f, 1], [.1f, 1, .5f, .98f, .95f, 1]],
            [[.12f, .2f, .5f, 0, .85f, .22f, .62f, .6f, .2f, .95f, .08f, .85f, .32f, .8f, .6f, .97f, .95f, .88f]],
            [[.15f, .12f, .5f, .02f, .82f, .2f, .7f, .5f, .15f, .97f], [.15f, .97f, .9f, .93f]],
        ],
        [
            [[.1f, .12f, .5f, 0, .85f, .2f, .7f, .42f, .4f, .48f], [.4f, .48f, .8f, .56f, .9f, .8f, .5f, 1, .05f, .88f]],
            [[.1f, .03f, .85f, .02f], [.85f, .02f, .45f, .4f], [.45f, .4f, .85f, .52f, .88f, .82f, .45f, 1, .05f, .88f]],
        ],
        [
            [[.2f, 0, .15f, .3f, .08f, .6f], [.08f, .6f, .95f, .58f], [.72f, .1f, .7f, .5f, .68f, 1]],
            [[.65f, 0, .35f, .35f, .05f, .68f], [.05f, .68f, .95f, .66f], [.65f, 0, .65f, .5f, .65f, 1]],
            [[.15f, .05f, .12f, .4f, .35f, .52f, .8f, .42f], [.85f, .02f, .8f, .5f, .75f, 1]],
        ],
        [
            [[.85f, .02f, .2f, .02f], [.2f, .02f, .15f, .45f], [.15f, .45f, .5f, .36f, .9f, .6f, .78f, .92f, .4f, 1, .05f, .88f]],
            [[.85f, .05f, .42f, .04f, .2f, .25f, .5f, .45f, .85f, .65f, .7f, .94f, .1f, .95f]],
        ],
        [
            [[.75f, .02f, .35f, .25f, .1f, .65f, .25f, .95f, .6f, 1, .85f, .78f, .65f, .55f, .3f, .58f, .13f, .75f]],
            [[.45f, 0, .2f, .35f, .12f, .7f, .25f, .96f, .55f, 1, .85f, .82f, .78f, .62f, .48f, .55f, .15f, .72f]],
        ],
        [
            [[.05f, .05f, .5f, .06f, .95f, .04f], [.95f, .04f, .6f, .5f, .35f, 1]],
            [[.05f, .05f, .9f, .05f], [.9f, .05f, .6f, .5f, .4f, 1], [.3f, .5f, .85f, .48f]],
            [[.08f, .22f, .12f, .06f, .6f, .04f, .92f, .08f, .68f, .5f, .55f, 1]],
        ],
        [
            [[.5f, .48f, .18f, .25f, .5f, 0, .82f, .25f, .5f, .48f, .1f, .75f, .5f, 1, .9f, .75f, .5f, .48f]],
            [[.8f, .12f, .45f, 0, .18f, .2f, .55f, .5f, .88f, .78f, .5f, 1, .12f, .8f, .5f, .48f, .85f, .15f]],
        ],
        [
            [[.85f, .25f, .5f, 0, .12f, .25f, .4f, .52f, .85f, .27f], [.85f, .25f, .82f, .6f, .78f, 1]],
            [[.82f, .2f, .45f, 0, .12f, .28f, .42f, .5f, .82f, .2f], [.82f, .2f, .88f, .6f, .65f, .95f, .2f, .94f]],
        ],
    ];
}
