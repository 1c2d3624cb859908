// Pictures as a grid of buttons; a press tells the row. Built again only when the pictures change.

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const root = parentElement.querySelector(".gallery");
  root.setTriggerValue = setTriggerValue;
  if (root.version === data.version) return;
  root.version = data.version;
  root.className = `gallery ${data.layout}`;

  const build = (tag, className, text = "") => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text) element.textContent = text;
    return element;
  };
  const buildTile = (tile) => {
    const item = build("li", "item");
    const button = build("button", "tile");
    button.type = "button";
    button.title = tile.alt;
    const picture = build("img", data.sharp ? "sharp" : "");
    picture.src = tile.source;
    picture.alt = tile.alt;
    button.append(picture);
    button.onclick = () => root.setTriggerValue("picked", tile.row);
    item.append(button);
    if (tile.caption) {
      const caption = build("span", "caption", tile.caption);
      caption.title = tile.caption;
      caption.setAttribute("aria-hidden", "true"); // the picture's own words say it
      item.append(caption);
    }
    return item;
  };
  root.replaceChildren(
    ...data.groups.map((group) => {
      const section = build("section", group.title ? "group" : "");
      const list = build("ul", "");
      list.setAttribute("role", "list");
      list.setAttribute("aria-label", group.title || data.label);
      list.append(...group.tiles.map(buildTile));
      if (group.title) section.append(build("p", "title", group.title));
      section.append(list);
      return section;
    }),
  );
}
