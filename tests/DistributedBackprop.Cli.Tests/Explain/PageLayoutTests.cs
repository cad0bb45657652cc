using System.Drawing;
using DistributedBackprop.Cli.Tests.Running;
using OpenQA.Selenium;

namespace DistributedBackprop.Cli.Tests.Explain;

/// <summary>Where things stand on the page: drawing and table are seen together, and both follow the steps.</summary>
public sealed class PageLayoutTests(Browser browser) : IClassFixture<Browser>, IDisposable
{
    private static readonly Size _usual = new(1440, 1100);

    [SkippableTheory]
    [InlineData("xor", 1200, 800)]
    [InlineData("xor", 1440, 900)]
    [InlineData("spirals", 1200, 800)]
    [InlineData("residual", 1200, 800)]
    [InlineData("residual", 1440, 1100)]
    [InlineData("residual", 1920, 1080)]
    [InlineData("mnist10k", 1200, 800)]
    [InlineData("mnist10k", 1440, 900)]
    public async Task The_table_stands_beside_the_drawing_and_the_layer_of_the_step_is_in_view(string name, int width, int height)
    {
        using var folder = new CommandFolder();
        await ExplainPage.MakeAsync(folder, name, "--step", "1");
        browser.Driver.Manage().Window.Size = new Size(width, height);
        browser.Open(folder.At("page.html"));
        for (var step = 1; browser.Find("#forward").Enabled; step++)
        {
            var (drawing, table) = (BoxOf(".panel.graph"), BoxOf(".panel.table"));
            table.Left.ShouldBeGreaterThanOrEqualTo(drawing.Right, "beside it");
            Math.Min(table.Bottom, drawing.Bottom).ShouldBeGreaterThan(Math.Max(table.Top, drawing.Top) + 200, "at the same height");
            drawing.Top.ShouldBeLessThan(BoxOf(":root").Top + (height / 2), "and seen without scrolling the page");
            Script("return document.documentElement.scrollWidth <= innerWidth").ShouldBeTrue("the page itself is not wider than its window");
            Script("const box = document.querySelector('#table-scroll'); return box.scrollWidth <= box.clientWidth").ShouldBeTrue("no column is cut off");
            if (browser.Driver.FindElements(By.CssSelector("svg .now")).Count > 0)
            {
                var (now, pane) = (BoxOf("svg .now"), BoxOf("#graph-scroll"));
                now.Left.ShouldBeGreaterThanOrEqualTo(pane.Left - 1, $"at step {step}");
                now.Right.ShouldBeLessThanOrEqualTo(pane.Right + 1, $"at step {step}");
                ((now.Top + now.Bottom) / 2).ShouldBeInRange(pane.Top, pane.Bottom);
            }

            if (browser.Driver.FindElements(By.CssSelector("#rows [aria-current]")).Count > 0)
            {
                var (row, pane) = (BoxOf("#rows [aria-current]"), BoxOf("#table-scroll"));
                row.Top.ShouldBeGreaterThanOrEqualTo(pane.Top - 1);
                row.Bottom.ShouldBeLessThanOrEqualTo(pane.Bottom + 1);
            }

            if (step is 1 or 5 or 8 or 14 or 25)
            {
                browser.Picture($"beside-{name}-{width}-{step}");
            }

            browser.Press(Keys.ArrowRight);
        }

        browser.Complaints().ShouldBeEmpty();
    }

    [SkippableTheory]
    [InlineData("xor")]
    [InlineData("residual")]
    public async Task In_a_narrow_window_and_on_paper_it_stands_below(string name)
    {
        using var folder = new CommandFolder();
        await ExplainPage.MakeAsync(folder, name);
        browser.Driver.Manage().Window.Size = new Size(880, 1100);
        browser.Open(folder.At("page.html"), step: 8);
        ShouldStandBelow();
        Script("return document.documentElement.scrollWidth <= innerWidth").ShouldBeTrue();
        browser.Picture($"below-{name}");

        browser.Driver.Manage().Window.Size = _usual;
        browser.Driver.ExecuteCdpCommand("Emulation.setEmulatedMedia", new Dictionary<string, object?> { ["media"] = "print" });
        ShouldStandBelow();
        BoxOf("svg").Right.ShouldBeLessThanOrEqualTo(BoxOf(".panel.graph").Right, "all of it is on paper");
        Script("const box = document.querySelector('#table-scroll'); return box.scrollHeight <= box.clientHeight + 1").ShouldBeTrue();
        browser.Find(".zoom").Displayed.ShouldBeFalse();
        browser.Complaints().ShouldBeEmpty();
    }

    [SkippableFact]
    public async Task The_drawing_can_be_seen_whole_larger_and_from_side_to_side()
    {
        using var folder = new CommandFolder();
        await ExplainPage.MakeAsync(folder, "residual");
        browser.Open(folder.At("page.html"), step: 20);
        IsWhole().ShouldBeFalse("it is wide");
        var readable = BoxOf("svg").Width;
        browser.Press("0");
        IsWhole().ShouldBeTrue();
        browser.Find("#whole").GetAttribute("aria-pressed").ShouldBe("true");
        browser.Picture("whole-residual");
        browser.Press(Keys.ArrowRight);
        IsWhole().ShouldBeTrue("it stays so from step to step");
        browser.Find("#whole").Click();
        BoxOf("svg").Width.ShouldBe(readable, 0.5);
        browser.Find("#larger").Click();
        BoxOf("svg").Width.ShouldBe(1.25 * readable, 0.5);
        browser.Find("#whole").GetAttribute("aria-pressed").ShouldBe("false");
        browser.Press("-");
        BoxOf("svg").Width.ShouldBe(readable, 0.5);

        // By the keyboard: arrow keys go from step to step, with Shift from side to side.
        var (position, left) = (browser.Text("#position"), BoxOf("svg").Left);
        browser.Find("#graph-scroll").SendKeys(Keys.Shift + Keys.ArrowLeft);
        BoxOf("svg").Left.ShouldBeGreaterThan(left);
        browser.Text("#position").ShouldBe(position);
        browser.Complaints().ShouldBeEmpty();
    }

    public void Dispose()
    {
        if (browser.IsOpen)
        {
            browser.Driver.Manage().Window.Size = _usual;
            browser.Prefer(isDark: false);
        }
    }

    // The page answers to a change of its size when it is drawn the next time.
    private void ShouldStandBelow()
    {
        browser.Driver.ExecuteAsyncScript("const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()));");
        Script("const box = s => document.querySelector(s).getBoundingClientRect(); return box('.panel.table').top >= box('.panel.graph').bottom").ShouldBeTrue();
    }

    private bool IsWhole() => Script("const box = document.querySelector('#graph-scroll'); return box.scrollWidth <= box.clientWidth + 1");

    private bool Script(string script) => (bool)browser.Driver.ExecuteScript(script)!;

    // Within the window, in its pixels.
    private Box BoxOf(string selector)
    {
        var sides = (IReadOnlyCollection<object>)browser.Driver.ExecuteScript(
            "const box = document.querySelector(arguments[0]).getBoundingClientRect(); return [box.left, box.top, box.right, box.bottom].map(String);", selector)!;
        var numbers = sides.Select(side => double.Parse((string)side, System.Globalization.CultureInfo.InvariantCulture)).ToList();
        return new Box(numbers[0], numbers[1], numbers[2], numbers[3]);
    }

    private readonly record struct Box(double Left, double Top, double Right, double Bottom)
    {
        public double Width => Right - Left;
    }
}
