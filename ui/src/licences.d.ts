// made by build.mjs

declare module 'licences' {
  const list: { name: string; version: string; license: string;
                text: string }[];
  export default list;
}

declare module '*.css';
