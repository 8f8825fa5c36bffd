/** Cameras and screens that are drawn, so that pages can be looked at without people. */

const WIDTH = 640;
const HEIGHT = 400;

interface Look {
  wall: [string, string];
  thing: "window" | "shelf" | "plant" | "lamp";
  shirt: string;
  skin: string;
  hair: string;
  cut: "short" | "long" | "bun" | "bald";
}

const LOOKS: Look[] = [
  { wall: ["#c9b79f", "#a38f76"], thing: "shelf", shirt: "#2d5c53", skin: "#e0ac86", hair: "#2a1710", cut: "bun" },
  { wall: ["#93a8b5", "#6b8290"], thing: "window", shirt: "#d8d2c6", skin: "#8d5a3b", hair: "#15100d", cut: "short" },
  { wall: ["#b3bfa5", "#87957a"], thing: "plant", shirt: "#30425e", skin: "#f1cbb0", hair: "#74431f", cut: "long" },
  { wall: ["#d9cfc4", "#b5a697"], thing: "lamp", shirt: "#8c3f35", skin: "#c58d64", hair: "#1b1412", cut: "long" },
  { wall: ["#8e9aa8", "#5f6c7b"], thing: "shelf", shirt: "#e3c987", skin: "#eec4a4", hair: "#9a9790", cut: "short" },
  { wall: ["#cbb6b0", "#9d857f"], thing: "window", shirt: "#3c5a42", skin: "#6b4229", hair: "#100b09", cut: "bald" },
  { wall: ["#a9b8c4", "#7a8c9a"], thing: "plant", shirt: "#5d4a76", skin: "#efc6a6", hair: "#2b1a12", cut: "bun" },
  { wall: ["#c7c3b4", "#9b9684"], thing: "lamp", shirt: "#234b6e", skin: "#d7a279", hair: "#38210f", cut: "short" },
];

function paintThing(c: CanvasRenderingContext2D, look: Look, left: boolean) {
  const x = left ? 46 : 440;
  switch (look.thing) {
    case "window":
      c.fillStyle = "rgba(255,255,255,.75)";
      c.fillRect(x, 20, 150, 190);
      c.fillStyle = "rgba(120,150,170,.5)";
      c.fillRect(x + 70, 20, 8, 190);
      c.fillRect(x, 108, 150, 8);
      break;
    case "shelf":
      for (let row = 0; row < 3; row += 1) {
        c.fillStyle = "rgba(70,48,30,.55)";
        c.fillRect(x, 78 + row * 80, 160, 9);
        for (let book = 0; book < 8; book += 1) {
          c.fillStyle = ["#6d4c41", "#3f6b62", "#c08a3e", "#5a5f7d", "#a5553f"][(book + row * 2) % 5] ?? "#555";
          const tall = 38 + ((book * 13 + row * 7) % 22);
          c.fillRect(x + 6 + book * 18, 78 + row * 80 - tall, 14, tall);
        }
      }
      break;
    case "plant":
      c.fillStyle = "#a8694b";
      c.fillRect(x + 50, 260, 60, 70);
      c.fillStyle = "#4c7150";
      for (let leaf = 0; leaf < 9; leaf += 1) {
        c.beginPath();
        c.ellipse(x + 80 + (leaf - 4) * 15, 190 + Math.abs(leaf - 4) * 14, 13, 56, (leaf - 4) * 0.28, 0, 7);
        c.fill();
      }
      break;
    case "lamp":
      c.fillStyle = "rgba(255,236,190,.55)";
      c.beginPath();
      c.arc(x + 90, 120, 110, 0, 7);
      c.fill();
      c.fillStyle = "#f4e3b8";
      c.beginPath();
      c.moveTo(x + 60, 90);
      c.lineTo(x + 120, 90);
      c.lineTo(x + 142, 150);
      c.lineTo(x + 38, 150);
      c.fill();
      c.fillStyle = "#6b5a45";
      c.fillRect(x + 86, 150, 8, 200);
      break;
  }
}

function paintPerson(c: CanvasRenderingContext2D, index: number, time: number) {
  const look = LOOKS[index % LOOKS.length];
  if (!look) return;
  const wall = c.createLinearGradient(0, 0, WIDTH, HEIGHT);
  wall.addColorStop(0, look.wall[0]);
  wall.addColorStop(1, look.wall[1]);
  c.fillStyle = wall;
  c.fillRect(0, 0, WIDTH, HEIGHT);
  c.filter = "blur(3px)";
  paintThing(c, look, index % 2 === 0);
  c.filter = "none";
  const x = WIDTH / 2 + Math.sin(time / 1700 + index) * 6 + (index % 2 === 0 ? 26 : -26);
  const y = 176 + Math.sin(time / 1100 + index * 2) * 3;
  const r = 66;
  c.fillStyle = look.hair;
  if (look.cut === "long") {
    c.beginPath();
    c.roundRect(x - r * 1.2, y - r * 1.15, r * 2.4, r * 3, r * 1.1);
    c.fill();
  }
  if (look.cut === "bun") {
    c.beginPath();
    c.arc(x + r * 0.2, y - r * 1.3, r * 0.46, 0, 7);
    c.fill();
  }
  c.fillStyle = look.shirt;
  c.beginPath();
  c.roundRect(x - r * 2.1, y + r * 1.45, r * 4.2, 300, r * 1.5);
  c.fill();
  c.fillStyle = look.skin;
  c.beginPath();
  c.roundRect(x - r * 0.42, y + r * 0.5, r * 0.84, r * 1.3, r * 0.4);
  c.fill();
  c.fillStyle = "rgba(0,0,0,.12)";
  c.beginPath();
  c.ellipse(x, y + r * 0.98, r * 0.5, r * 0.24, 0, 0, 7);
  c.fill();
  c.fillStyle = look.skin;
  c.beginPath();
  c.ellipse(x, y, r * 0.86, r * 1.06, 0, 0, 7);
  c.fill();
  if (look.cut !== "bald") {
    c.fillStyle = look.hair;
    c.beginPath();
    c.moveTo(x - r * 0.92, y - r * 0.05);
    c.bezierCurveTo(x - r * 1.1, y - r * 1.5, x + r * 1.1, y - r * 1.5, x + r * 0.92, y - r * 0.05);
    c.bezierCurveTo(x + r * 0.62, y - r * 0.75, x - r * 0.3, y - r * 0.72, x - r * 0.92, y - r * 0.05);
    c.fill();
  }
  c.fillStyle = "#2a1c15";
  for (const side of [-1, 1]) {
    c.beginPath();
    c.arc(x + side * r * 0.32, y + r * 0.02, 4.6, 0, 7);
    c.fill();
  }
  c.strokeStyle = "rgba(60,25,15,.75)";
  c.lineWidth = 4;
  c.lineCap = "round";
  c.beginPath();
  c.arc(x, y + r * 0.3, r * 0.26, 0.35, Math.PI - 0.35);
  c.stroke();
}

function paintScreen(c: CanvasRenderingContext2D) {
  c.fillStyle = "#ffffff";
  c.fillRect(0, 0, WIDTH, HEIGHT);
  c.fillStyle = "#eef2f0";
  c.fillRect(0, 0, WIDTH, 34);
  c.fillStyle = "#0d6b54";
  c.fillRect(40, 66, 250, 18);
  c.fillStyle = "#c4cfca";
  for (const [y, width] of [[104, 220], [122, 190], [140, 236]] as const) c.fillRect(40, y, width, 8);
  for (let bar = 0; bar < 8; bar += 1) {
    const tall = 40 + ((bar * 37) % 110) + bar * 10;
    c.fillStyle = bar === 6 ? "#0d6b54" : "#a9d5c6";
    c.fillRect(40 + bar * 32, 350 - tall * 0.9, 22, tall * 0.9);
  }
  c.strokeStyle = "#d99a2b";
  c.lineWidth = 5;
  c.beginPath();
  for (let x = 0; x <= 10; x += 1) c.lineTo(350 + x * 25, 300 - Math.sin(x / 2.2) * 60 - x * 9);
  c.stroke();
  c.strokeStyle = "#dfe6e3";
  c.lineWidth = 1.5;
  c.strokeRect(340, 100, 262, 252);
}

/** A drawn camera; number -1 is a screen. */
export function drawnStream(index: number): MediaStream {
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const c = canvas.getContext("2d");
  const paint = () => {
    if (c) {
      if (index < 0) paintScreen(c);
      else paintPerson(c, index, performance.now());
    }
  };
  paint();
  setInterval(paint, 100);
  return canvas.captureStream(10);
}
