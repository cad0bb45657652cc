using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using DistributedBackprop.Cli.Tests.Running;
using OpenQA.Selenium;

namespace DistributedBackprop.Cli.Tests.Explain;

/// <summary>The page of <c>explain --html</c>, used as people use it.</summary>
public sealed class PageTests(Browser browser) : IClassFixture<Browser>
{
    // Every kind of layer; rows, forks, a skip from the input, one that does not learn, and one that is called loss.
    private const string EveryKind = """
        name: everything
        data: { format: digits, train: { examples: 60 } }
        model:
          input: [28, 28]
          layers:
            - dense: { units: 6, activation: gelu }
              name: loss
            - concat: { axis: 2 }
              inputs: [loss, input]
            - softmax
            - dense: { units: 4, activation: softmax, bias: false }
            - leakyRelu: { slope: 0.2 }
            - flatten
            - dropout: { rate: 0.5 }
            - dense: { units: 12, activation: geluTanh }
            - dense: { units: 12, activation: sigmoid }
            - add: {}
              inputs: [dense3, dense4]
            - dense: { units: 10 }
              learningRateFactor: 0
        loss: meanSquaredError
        optimizer: { adamW: { learningRate: 0.01 } }
        training: { batchSize: 8, microBatches: 2, epochs: 2 }
        parallelism: { replicas: 3 }
        """;

    [SkippableTheory]
    [InlineData("xor", "--step", "3", "--examples", "100")]
    [InlineData("spirals", "--example", "5")]
    [InlineData("residual", "--step", "2", "--examples", "50")]
    [InlineData("mnist10k", "--step", "1")]
    public async Task Stepping_forward_tells_the_story_and_fills_the_table_from_the_output_back(string name, params string[] options)
    {
        using var folder = new CommandFolder();
        var events = await ExplainPage.MakeAsync(folder, name, options);
        browser.Open(folder.At("page.html"));
        var steps = events.Where(happened => happened.Word() != "health").ToList();
        browser.Text("#position").ShouldBe($"step 1 of {steps.Count}");
        var order = events.Where(happened => happened.Word() == "delta").Select(happened => happened.GetProperty("layer").GetString()!).ToList();
        RowLayers().Distinct().ShouldBe(order, "rows stand in the order in which they are filled");
        var filled = 0;
        foreach (var (happened, index) in steps.Select((happened, index) => (happened, index)))
        {
            browser.Text("#position").ShouldBe($"step {index + 1} of {steps.Count}");
            browser.Text("#says-text").ShouldBe(Spaced(happened.GetProperty("says").GetString()!));
            filled += happened.Word() == "delta" ? RowsOf(happened.GetProperty("layer").GetString()!).Count : 0;
            FilledRows().ShouldBe([.. Enumerable.Range(0, RowLayers().Count).Select(row => row < filled)], "from the first row down");
            ShouldShow(happened);
            browser.Press(Keys.ArrowRight);
        }

        browser.Text("#position").ShouldBe($"step {steps.Count} of {steps.Count}", "there is nothing behind the last step");
        browser.Complaints().ShouldBeEmpty();
        Script<long>("return performance.getEntriesByType('resource').length").ShouldBe(0, "nothing is fetched");
    }

    [SkippableFact]
    public async Task Keys_buttons_and_the_slider_go_the_same_way()
    {
        using var folder = new CommandFolder();
        await ExplainPage.MakeAsync(folder, "xor");
        browser.Open(folder.At("page.html"));
        browser.Find("#back").Enabled.ShouldBeFalse();
        browser.Find("#forward").Click();
        Step().ShouldBe(2);
        browser.Press(Keys.End);
        Step().ShouldBe(12);
        browser.Find("#forward").Enabled.ShouldBeFalse();
        FilledRows().ShouldAllBe(isFilled => isFilled);
        browser.Find("#back").Click();
        browser.Press(Keys.ArrowLeft);
        Step().ShouldBe(10);
        browser.Find("#slider").SendKeys(Keys.ArrowLeft);
        Step().ShouldBe(9, "the slider moves once, not twice");
        browser.Find("#slider").SendKeys(Keys.Home);
        Step().ShouldBe(1);
        FilledRows().ShouldAllBe(isFilled => !isFilled, "going back empties what was filled");

        // By the keyboard alone: from the top of the page to the buttons, and on.
        browser.Open(folder.At("page.html"));
        browser.Press(Keys.Tab);
        browser.Driver.SwitchTo().ActiveElement().GetAttribute("id").ShouldBe("forward", "what cannot be pressed is passed over");
        browser.Press(Keys.Enter);
        Step().ShouldBe(2);
        browser.Open(folder.At("page.html"), step: 5);
        Step().ShouldBe(5);
        browser.Complaints().ShouldBeEmpty();
    }

    [SkippableFact]
    public async Task Every_kind_of_layer_is_shown()
    {
        using var folder = new CommandFolder();
        await File.WriteAllTextAsync(folder.At("job.yaml"), EveryKind);
        var run = await folder.RunAsync("explain", "job.yaml", "--step", "4", "--examples", "20", "--html", "page.html", "--json");
        run.ExitCode.ShouldBe(0, run.Errors);
        foreach (var gradient in run.Events.Where(happened => happened.Word() == "gradient"))
        {
            var quotients = gradient.GetProperty("quotients");
            quotients.GetProperty("largestDifference").GetDouble().ShouldBeLessThan(1e-3 * quotients.GetProperty("largestGradient").GetDouble());
        }

        browser.Open(folder.At("page.html"));
        for (var step = 1; browser.Find("#forward").Enabled; step++)
        {
            Step().ShouldBe(step);
            browser.Find("#forward").Click();
        }

        browser.Driver.FindElements(By.CssSelector("svg [data-layer]")).Count.ShouldBe(13);
        FilledRows().ShouldAllBe(isFilled => isFilled);
        browser.Complaints().ShouldBeEmpty();
    }

    [SkippableFact]
    public async Task Those_who_do_not_see_it_are_told()
    {
        using var folder = new CommandFolder();
        await ExplainPage.MakeAsync(folder, "residual");
        browser.Open(folder.At("page.html"), step: 20);
        browser.Find("#says").GetAttribute("role").ShouldBe("status");
        browser.Find("#says").GetAttribute("aria-live").ShouldBe("polite");
        browser.Find("html").GetAttribute("lang").ShouldBe("en");
        foreach (var selector in new[] { "button", "input", "svg[role=img]", "image[role=img]", "[role=group]", "section" })
        {
            var elements = browser.Driver.FindElements(By.CssSelector(selector));
            elements.ShouldNotBeEmpty(selector);
            elements.ShouldAllBe(element => ((WebElement)element).ComputedAccessibleLabel!.Length > 0, $"every {selector} has a name");
        }

        browser.Driver.FindElements(By.CssSelector("img")).ShouldAllBe(image => image.GetAttribute("alt")!.Length > 0);
        browser.Driver.FindElements(By.CssSelector("th")).ShouldAllBe(head => head.GetAttribute("scope")!.Length > 0);
        browser.Driver.FindElements(By.CssSelector("tr[aria-current=step]")).ShouldNotBeEmpty();
        browser.Find("#table caption").Text.ShouldNotBeEmpty();
        var headings = browser.Driver.FindElements(By.CssSelector("h1, h2")).Select(heading => heading.TagName).ToList();
        headings[0].ShouldBe("h1");
        headings.Count(heading => heading == "h1").ShouldBe(1);
        browser.Complaints().ShouldBeEmpty();
    }

    [SkippableTheory]
    [InlineData("xor", 8)]
    [InlineData("residual", 25)]
    [InlineData("mnist10k", 9)]
    public async Task It_is_readable_light_dark_small_and_on_paper(string name, int step)
    {
        using var folder = new CommandFolder();
        await ExplainPage.MakeAsync(folder, name);
        foreach (var isDark in new[] { false, true })
        {
            browser.Open(folder.At("page.html"), isDark, step);
            browser.Picture($"{name}-{(isDark ? "dark" : "light")}");
            ContrastOf("#says-text", ".panel").ShouldBeGreaterThan(7);
            ContrastOf("caption", ".panel").ShouldBeGreaterThan(4.5);
            ContrastOf("#phases li", "#phases li").ShouldBeGreaterThan(4.5);
            ContrastOf("#forward", "#forward").ShouldBeGreaterThan(4.5);
        }

        // Nothing of the page itself runs out of a narrow window; what is wide scrolls within its own box.
        browser.Driver.Manage().Window.Size = new System.Drawing.Size(500, 1100);
        browser.Open(folder.At("page.html"), step: step);
        Script<bool>("return document.documentElement.scrollWidth <= innerWidth").ShouldBeTrue();
        browser.Picture($"{name}-small");
        browser.Driver.Manage().Window.Size = new System.Drawing.Size(1440, 1100);
        browser.Open(folder.At("page.html"), step: step);
        var paper = browser.Driver.Print(new PrintOptions { OutputBackgroundImages = true });
        paper.AsByteArray.Length.ShouldBeGreaterThan(10_000);
        paper.SaveAsFile(Path.Combine(Browser.Pictures, $"{name}.pdf"));
        Step().ShouldBe(step, "after printing it stands where it stood");
        browser.Complaints().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_page_needs_nothing_but_itself()
    {
        using var folder = new CommandFolder();
        await ExplainPage.MakeAsync(folder, "residual", "--examples", "100");
        var page = await File.ReadAllTextAsync(folder.At("page.html"));
        Regex.Matches(page, @"(?:src|href)=""(?!data:)[^""{]").ShouldBeEmpty();
        Regex.Matches(page, @"https?://(?!www\.w3\.org/)").ShouldBeEmpty();
        Regex.Count(page, "</script>").ShouldBe(2, "no text within can end a script");
        page.ShouldNotContain("{{");
    }

    private int Step() => int.Parse(browser.Text("#position").Split(' ')[1], CultureInfo.InvariantCulture);

    private List<string> RowLayers() => [.. Script<IReadOnlyCollection<object>>("return [...document.querySelectorAll('#rows tr')].map(row => row.dataset.row.replace(/\\.\\d+$/, ''))").Cast<string>()];

    private List<int> RowsOf(string layer) => [.. RowLayers().Select((name, row) => (name, row)).Where(at => at.name == layer).Select(at => at.row)];

    private List<bool> FilledRows() => [.. Script<IReadOnlyCollection<object>>("return [...document.querySelectorAll('#rows tr')].map(row => !row.cells[3].classList.contains('empty'))").Cast<bool>()];

    // The numbers in table and drawing are those of the event, to the digits shown.
    private void ShouldShow(JsonElement happened)
    {
        if (happened.Word() is not ("forward" or "delta"))
        {
            return;
        }

        var layer = happened.GetProperty("layer").GetString()!;
        var isForward = happened.Word() == "forward";
        var vector = happened.GetProperty(isForward ? "output" : "delta");
        var rows = RowsOf(layer);
        var isSmall = vector.GetProperty("length").GetInt32() <= 16;
        var numbers = isSmall ? vector.GetProperty("values").EnumerateArray().Select(value => value.GetDouble()).ToList() : [vector.GetProperty("norm").GetDouble()];
        rows.Count.ShouldBe(numbers.Count);
        for (var unit = 0; unit < rows.Count; unit++)
        {
            Number(Script<string>($"return document.querySelectorAll('#rows tr')[{rows[unit]}].cells[{(isForward ? 1 : 3)}].textContent")).ShouldBe(numbers[unit], 1e-3 * Math.Abs(numbers[unit]));
            var key = $"data-{(isForward ? "value" : "delta")}=\"{layer}{(isSmall ? $".{unit}" : "")}\"";
            var drawn = Script<string>($"return document.querySelector('svg [{key}]').textContent");
            Number(drawn.Split(' ')[^1]).ShouldBe(numbers[unit], 6e-3 * Math.Abs(numbers[unit]), drawn);
        }
    }

    // Web Content Accessibility Guidelines 2.2, contrast ratio: (lighter + 0.05) / (darker + 0.05).
    private double ContrastOf(string text, string background)
    {
        var (ink, paper) = (Luminance(text, "color"), Luminance(background, "backgroundColor"));
        return (Math.Max(ink, paper) + 0.05) / (Math.Min(ink, paper) + 0.05);
    }

    private double Luminance(string selector, string property)
    {
        var colour = Script<string>($"return getComputedStyle(document.querySelector('{selector}')).{property}");
        var parts = Regex.Matches(colour, @"[\d.]+").Take(3)
            .Select(part => double.Parse(part.Value, CultureInfo.InvariantCulture) / 255)
            .Select(part => part <= 0.04045 ? part / 12.92 : Math.Pow((part + 0.055) / 1.055, 2.4)).ToList();
        return (0.2126 * parts[0]) + (0.7152 * parts[1]) + (0.0722 * parts[2]);
    }

    private T Script<T>(string script) => (T)browser.Driver.ExecuteScript(script)!;

    private static double Number(string shown) => double.Parse(shown.Replace('−', '-'), CultureInfo.InvariantCulture);

    private static string Spaced(string text) => Regex.Replace(text, @"\s+", " ");
}
